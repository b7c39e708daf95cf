"""For whom this server works right now: set around each call of a tool, read where a backend is told who asks.

Tasks that a call starts inherit it, so that what goes on in the background stays that caller's.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

    from cloud_native_mcp.contract.principal import Principal

_CALLER: Final[ContextVar[Principal | None]] = ContextVar("caller", default=None)


def caller() -> Principal | None:
    """Whose call runs; None outside of calls (health checks, the start of the server)."""
    return _CALLER.get()


@contextlib.contextmanager
def working_for(principal: Principal) -> Generator[None]:
    """Work for that caller inside the block."""
    before = _CALLER.set(principal)
    try:
        yield
    finally:
        _CALLER.reset(before)
