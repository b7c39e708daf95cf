"""A bounded number of calls runs, a bounded number waits."""

from __future__ import annotations

import asyncio

import pytest

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.limits.seats import Seats


class Crowd:
    """Calls that hold their seat until they are let go."""

    def __init__(self, seats: Seats) -> None:
        self.seats = seats
        self.running = 0
        self.most = 0
        self.go = asyncio.Event()

    async def call(self) -> None:
        async with self.seats.take():
            self.running += 1
            self.most = max(self.most, self.running)
            await self.go.wait()
            self.running -= 1


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_calls_run_at_once_than_there_are_seats_and_all_get_their_turn() -> None:
    crowd = Crowd(Seats(3, 10))
    calls = [asyncio.create_task(crowd.call()) for _ in range(10)]
    await settle()
    assert (crowd.running, crowd.seats.waiting) == (3, 7)
    crowd.go.set()
    await asyncio.gather(*calls)
    assert (crowd.most, crowd.seats.waiting) == (3, 0)


async def test_a_call_beyond_the_queue_is_refused_at_once() -> None:
    crowd = Crowd(Seats(1, 1))
    calls = [asyncio.create_task(crowd.call()) for _ in range(2)]
    await settle()
    with pytest.raises(ToolError) as refused:
        await crowd.call()
    assert (refused.value.code, refused.value.retry_after) == ("throttled", 1.0)
    crowd.go.set()
    await asyncio.gather(*calls)


async def test_a_waiting_call_that_is_cancelled_gives_its_place_back() -> None:
    crowd = Crowd(Seats(1, 1))
    first, second = asyncio.create_task(crowd.call()), asyncio.create_task(crowd.call())
    await settle()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert second.cancelled()
    third = asyncio.create_task(crowd.call())
    await settle()
    assert crowd.seats.waiting == 1
    crowd.go.set()
    await asyncio.gather(first, third)


async def test_a_call_that_fails_gives_its_seat_back() -> None:
    seats = Seats(1, 0)
    for _ in range(3):
        with pytest.raises(KeyError):
            async with seats.take():
                raise KeyError
