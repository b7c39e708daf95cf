"""Pauses, counted per caller. A pause is a timer: it holds no thread and ends at once when its call is cancelled."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_native_mcp.contract.call import Progress

STEP_SECONDS: Final = 5.0
"""How often progress is told."""


class Waits:
    """All pauses in progress.

    Args:
        max_seconds: longest pause.
        per_caller: pauses one caller may have at the same time.
        sleep: the event loop's timer.
    """

    def __init__(
        self, *, max_seconds: int, per_caller: int, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.max_seconds = max_seconds
        self._per_caller = per_caller
        self._sleep = sleep
        self._running: Counter[str] = Counter()

    async def pause(self, seconds: float, *, caller: str, progress: Progress) -> None:
        """Wait, telling progress every five seconds.

        Raises:
            ToolError: ``too_long``; ``throttled`` when the caller has too many pauses already.
        """
        if seconds > self.max_seconds:
            raise ToolError("too_long", f"seconds: {seconds:g} is more than this server allows ({self.max_seconds})")
        if self._running[caller] >= self._per_caller:
            raise ToolError(
                "throttled",
                f"{self._per_caller} pauses of this caller are in progress already",
                retry_after=STEP_SECONDS,
            )
        self._running[caller] += 1
        try:
            await self._count_down(seconds, progress)
        finally:
            self._running[caller] -= 1
            if not self._running[caller]:
                del self._running[caller]

    async def _count_down(self, seconds: float, progress: Progress) -> None:
        done = 0.0
        while done < seconds:
            step = min(STEP_SECONDS, seconds - done)
            await self._sleep(step)
            done += step
            await progress(done, seconds, f"{done:g} of {seconds:g} s waited")
