"""Free loopback ports below the ephemeral range, kept between runs."""

from __future__ import annotations

import json
import secrets
import socket
from typing import TYPE_CHECKING, cast

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

HOST = "127.0.0.1"
LOWEST = 20000
EPHEMERAL = 32768


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def load(file: Path) -> dict[str, int]:
    """The ports recorded in `file`; none when it is absent."""
    if not file.is_file():
        return {}
    return cast("dict[str, int]", json.loads(file.read_text(encoding="utf-8")))


def allocate(names: Collection[str], file: Path, *, in_use: Collection[str] = ()) -> dict[str, int]:
    """Give every name a port and record them all in `file`.

    A recorded port is kept if it is free or if its name is `in_use` (its own server holds it).
    """
    known = load(file)
    kept = {name: port for name, port in known.items() if name not in names or name in in_use or is_free(port)}
    candidates = _candidates(set(kept.values()))
    for name in names:
        if name not in kept:
            kept[name] = next(candidates)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return kept


def _candidates(taken: set[int]) -> Iterator[int]:
    size = EPHEMERAL - LOWEST
    start = secrets.randbelow(size)
    for step in range(size):
        port = LOWEST + (start + step) % size
        if port not in taken and is_free(port):
            yield port
    raise LabError(f"no free port between {LOWEST} and {EPHEMERAL}")
