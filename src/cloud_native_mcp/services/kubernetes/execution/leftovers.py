"""What has to be cleared away after a call, even when the call itself was cancelled."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Coroutine

logger = logging.getLogger(__name__)


class Leftovers:
    """Runs what clears away in tasks of its own, which outlive a cancelled call and end with the service."""

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[bool]] = set()

    async def settle(self, work: Coroutine[object, object, None]) -> bool:
        """Do the work, and wait for it unless the caller is cancelled; whether it succeeded. A failure is logged."""
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what is still being cleared away; each piece of work is bounded in time by itself."""
        await asyncio.gather(*self._tasks)


async def _logged(work: Coroutine[object, object, None]) -> bool:
    try:
        await work
    except ToolError as error:
        logger.warning("left behind: %s", error.text)
        return False
    return True
