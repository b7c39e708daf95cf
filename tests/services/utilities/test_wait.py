"""utilities_wait: bounded, cancellable, counted per caller."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.utilities.waits import Waits
from tests.services.utilities.serving import OTHER, serving

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_native_mcp.contract.call import Progress


class Clock:
    """A timer that a test moves: `sleep` ends at once and remembers, or holds while ``held``."""

    def __init__(self, *, held: bool = False) -> None:
        self.slept: list[float] = []
        self.entered = asyncio.Event()
        self._free = asyncio.Event()
        if not held:
            self._free.set()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.entered.set()
        await self._free.wait()


def remembered(told: list[float]) -> Progress:
    async def tell(done: float, total: float | None = None, message: str | None = None) -> None:
        assert total == 12
        assert message is not None
        told.append(done)

    return tell


async def test_progress_is_told_every_five_seconds() -> None:
    clock, told = Clock(), list[float]()
    await Waits(max_seconds=60, per_caller=1, sleep=clock.sleep).pause(12, caller="a", progress=remembered(told))
    assert clock.slept == [5.0, 5.0, 2.0]
    assert told == [5.0, 10.0, 12.0]


async def test_a_pause_that_is_cancelled_ends_at_once_and_frees_its_place() -> None:
    clock = Clock(held=True)
    waits = Waits(max_seconds=60, per_caller=1, sleep=clock.sleep)
    pause = asyncio.create_task(waits.pause(12, caller="a", progress=remembered([])))
    await clock.entered.wait()
    with pytest.raises(ToolError, match="throttled") as refused:
        await waits.pause(12, caller="a", progress=remembered([]))
    assert refused.value.retry_after
    pause.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pause
    again = asyncio.create_task(waits.pause(12, caller="a", progress=remembered([])))
    await asyncio.sleep(0)
    assert clock.slept == [5.0, 5.0]
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def test_callers_do_not_take_each_others_places() -> None:
    clock = Clock(held=True)
    waits = Waits(max_seconds=60, per_caller=1, sleep=clock.sleep)
    pauses = [asyncio.create_task(waits.pause(12, caller=name, progress=remembered([]))) for name in ("a", "b")]
    await asyncio.sleep(0)
    assert clock.slept == [5.0, 5.0]
    for pause in pauses:
        pause.cancel()
    await asyncio.gather(*pauses, return_exceptions=True)


async def test_a_pause_says_how_long_it_was_and_what_time_it_is(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        text = await server.text("wait", seconds=1)
        assert text.startswith("waited 1 s · now 2")
        assert server.progress == [(1.0, 1.0)]


async def test_a_pause_above_the_configured_maximum_is_refused_with_the_maximum(tmp_path: Path) -> None:
    async with serving(tmp_path, utilities={"wait": {"max_seconds": 2}}) as server:
        assert (await server.refusal("wait", seconds=3)).startswith("too_long: seconds: 3 is more than")
        assert "(2)" in await server.refusal("wait", seconds=300, principal=OTHER)
        assert "1 to 300" in await server.refusal("wait", seconds=301)
        assert "1 to 300" in await server.refusal("wait", seconds=0)
