"""How many calls run at the same time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Seats:
    """A fixed number of seats and a bounded queue for them, first come first served.

    Args:
        limit: calls that run at once.
        queue: calls that may wait; more are refused at once.
    """

    __slots__ = ("_free", "_queue", "_waiting")

    def __init__(self, limit: int, queue: int) -> None:
        self._free = asyncio.Semaphore(limit)
        self._queue = queue
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Calls waiting now."""
        return self._waiting

    @asynccontextmanager
    async def take(self) -> AsyncGenerator[None]:
        """Hold a seat for the block. The caller bounds the wait with its deadline.

        Raises:
            ToolError: ``throttled``, when the queue is full.
        """
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        if self._waiting >= self._queue:
            raise ToolError("throttled", "the server is busy: all seats and the queue are taken", retry_after=1.0)
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
