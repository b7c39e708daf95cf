"""Pytest plugin: writes which test carries which promise into the file named by ``--proofs``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proofs", default="", help="file to write the collected promises to")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write one entry per test and promise."""
    target = str(session.config.getoption("--proofs"))
    if not target:
        return
    found = [
        {
            "test": item.nodeid,
            "promise": str(mark.args[0]) if mark.args else "",
            "service": mark.kwargs.get("service"),
            "skipped": any(True for name in ("skip", "skipif", "xfail") for _ in item.iter_markers(name)),
        }
        for item in session.items
        for mark in item.iter_markers("promise")
    ]
    Path(target).write_bytes(msgspec.json.encode(found))
