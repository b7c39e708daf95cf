"""Locks between processes, held on files."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

POLL_SECONDS = 0.1


@contextmanager
def exclusive(path: Path, *, within: float) -> Generator[None]:
    """Hold the lock file `path` alone; the lock ends with the holder's process.

    Raises LabError when another process keeps it for `within` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as handle:
        _acquire(handle.fileno(), path, time.monotonic() + within)
        yield


def _acquire(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LabError(f"another lab command holds {path}; wait for it to end") from None
            time.sleep(POLL_SECONDS)
        else:
            return
