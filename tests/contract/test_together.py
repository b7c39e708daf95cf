"""Work that stands or falls together."""

from __future__ import annotations

import asyncio

import pytest

from cloud_native_mcp.contract.together import together


async def test_results_come_in_the_order_of_the_work() -> None:
    async def give(value: int, turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return value

    assert await together(give(1, 5), give(2, 0)) == [1, 2]
    assert await together() == []


async def test_the_first_failure_cancels_the_others_and_is_raised_as_it_is() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        await together(wait(), fail(), wait())
    assert ended == ["cancelled"] * 2


async def test_a_cancelled_caller_takes_its_work_along() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    caller = asyncio.create_task(together(wait()))
    await started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()
