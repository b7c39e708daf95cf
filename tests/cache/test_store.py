"""The segmented cache."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from cloud_native_mcp.cache.store import Bounds, SegmentedCache
from cloud_native_mcp.errors import BackendError


@dataclass
class Source:
    """Something that is loaded; counts the loads and can be held up."""

    loads: int = 0
    cancelled: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def load(self) -> int:
        """The number of this load."""
        self.loads += 1
        number = self.loads
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return number

    async def fail(self) -> int:
        """A load that fails."""
        self.loads += 1
        raise BackendError("unreachable", "gone")


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def settle() -> None:
    """Let tasks that are ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_value_is_kept_for_its_time_to_live_and_loaded_again_after_it() -> None:
    clock, source = Clock(), Source()
    cache = SegmentedCache(clock=clock)
    seen: list[int] = []
    for clock.now in (0, 59.9, 60, 61):
        seen.append(await cache.fetch("names", "a", source.load, ttl=60))
    assert seen == [1, 1, 2, 2]
    assert cache.statistics()["names"].hits == 2


async def test_keys_and_segments_are_apart() -> None:
    source = Source()
    cache = SegmentedCache()
    pairs = [("x", "a"), ("x", "b"), ("y", "a")]
    assert [await cache.fetch(segment, key, source.load, ttl=60) for segment, key in pairs] == [1, 2, 3]


async def test_a_hundred_equal_requests_share_one_load() -> None:
    source = Source()
    source.gate.clear()
    cache = SegmentedCache()
    callers = [asyncio.create_task(cache.fetch("x", "a", source.load, ttl=60)) for _ in range(100)]
    await settle()
    source.gate.set()
    assert await asyncio.gather(*callers) == [1] * 100
    assert cache.statistics()["x"].joined == 99


async def test_the_first_caller_going_away_does_not_take_the_load_from_the_others() -> None:
    source = Source()
    source.gate.clear()
    cache = SegmentedCache()
    first = asyncio.create_task(cache.fetch("x", "a", source.load, ttl=60))
    second = asyncio.create_task(cache.fetch("x", "a", source.load, ttl=60))
    await settle()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    source.gate.set()
    assert await second == 1
    assert source.cancelled == 0


async def test_when_all_callers_go_away_the_load_is_cancelled_and_nothing_is_kept() -> None:
    source = Source()
    source.gate.clear()
    cache = SegmentedCache()
    callers = [asyncio.create_task(cache.fetch("x", "a", source.load, ttl=60)) for _ in range(3)]
    await settle()
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    assert source.cancelled == 1
    source.gate.set()
    assert await cache.fetch("x", "a", source.load, ttl=60) == 2


async def test_a_caller_that_comes_while_a_load_is_being_cancelled_gets_one_of_its_own() -> None:
    ending, ended = asyncio.Event(), asyncio.Event()

    async def slow_to_end() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await ended.wait()
        return 0

    source = Source()
    cache = SegmentedCache()
    first = asyncio.create_task(cache.fetch("x", "a", slow_to_end, ttl=60))
    await settle()
    first.cancel()
    await ending.wait()
    assert await cache.fetch("x", "a", source.load, ttl=60) == 1
    ended.set()
    await asyncio.gather(first, return_exceptions=True)
    assert first.cancelled()
    assert await cache.fetch("x", "a", source.load, ttl=60) == 1


async def test_errors_reach_all_callers_and_are_not_kept() -> None:
    source = Source()
    cache = SegmentedCache()
    answers = await asyncio.gather(
        *(cache.fetch("x", "a", source.fail, ttl=60) for _ in range(3)), return_exceptions=True
    )
    assert [isinstance(error, BackendError) for error in answers] == [True] * 3
    assert await cache.fetch("x", "a", source.load, ttl=60) == 2


async def test_the_least_recently_used_entry_goes_first() -> None:
    source = Source()
    cache = SegmentedCache(bounds={"x": Bounds(entries=2)})
    for key in ("a", "b", "a", "c"):
        await cache.fetch("x", key, source.load, ttl=60)
    assert source.loads == 3
    await cache.fetch("x", "a", source.load, ttl=60)
    assert source.loads == 3
    await cache.fetch("x", "b", source.load, ttl=60)
    assert source.loads == 4
    assert cache.statistics()["x"].evicted == 2


async def test_a_segment_is_bounded_by_bytes_and_a_value_above_the_bound_is_not_kept() -> None:
    source = Source()
    cache = SegmentedCache(bounds={"x": Bounds(bytes=100)})
    await cache.fetch("x", "huge", source.load, ttl=60, size=lambda _: 101)
    assert cache.statistics()["x"].entries == 0
    for key in ("a", "b", "c"):
        await cache.fetch("x", key, source.load, ttl=60, size=lambda _: 40)
    assert (cache.statistics()["x"].entries, cache.statistics()["x"].bytes) == (2, 80)


async def test_a_read_after_a_drop_sees_what_came_after_it_even_when_an_older_load_is_still_under_way() -> None:
    source = Source()
    source.gate.clear()
    cache = SegmentedCache()
    before = asyncio.create_task(cache.fetch("x", "a", source.load, ttl=60))
    await settle()
    cache.drop("x")
    after = asyncio.create_task(cache.fetch("x", "a", source.load, ttl=60))
    await settle()
    source.gate.set()
    assert (await before, await after) == (1, 2)
    assert await cache.fetch("x", "a", source.load, ttl=60) == 2


async def test_one_key_can_be_dropped_alone() -> None:
    source = Source()
    cache = SegmentedCache()
    for key in ("a", "b"):
        await cache.fetch("x", key, source.load, ttl=60)
    cache.drop("x", "a")
    cache.drop("never used")
    assert await cache.fetch("x", "b", source.load, ttl=60) == 2
    assert await cache.fetch("x", "a", source.load, ttl=60) == 3


async def test_a_cache_that_is_switched_off_still_shares_loads() -> None:
    source = Source()
    cache = SegmentedCache(default=Bounds(ttl_factor=0))
    together = await asyncio.gather(*(cache.fetch("x", "a", source.load, ttl=60) for _ in range(3)))
    assert together == [1, 1, 1]
    assert await cache.fetch("x", "a", source.load, ttl=60) == 2
