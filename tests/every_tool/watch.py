"""Sees every program this process starts, and every file it opens in a folder, by Python's own audit events."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

_STARTS: Final = frozenset(
    {"os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "subprocess.Popen"}
)
_FILES: Final = frozenset({"open", "os.listdir", "os.scandir"})


class _Watch:
    def __init__(self) -> None:
        self.on = False
        self.folder = ""
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and (
            event in _STARTS or (self.folder and event in _FILES and str(arguments[0]).startswith(self.folder))
        ):
            self.seen.append(f"{event} {arguments[0] if arguments else ''}".rstrip())


_WATCH: Final = _Watch()
sys.addaudithook(_WATCH)


@contextmanager
def watching(folder: str = "") -> Generator[list[str]]:
    """What is started, and opened in the folder, while the block runs."""
    _WATCH.seen, _WATCH.folder, _WATCH.on = [], folder, True
    try:
        yield _WATCH.seen
    finally:
        _WATCH.on = False
