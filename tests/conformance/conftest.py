"""What the first server of a process creates once and for all is there before any test looks for leaks."""

from __future__ import annotations

import pytest
import uvloop


@pytest.fixture(scope="session", autouse=True)
def event_loop_library_is_ready() -> None:
    """The library under uvloop makes a pair of pipes for signals with its first loop, and never closes them."""
    uvloop.new_event_loop().close()
