"""Segments of kept values with time to live, bounds, statistics, and one load for concurrent equal requests."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from cloud_native_mcp.contract.rights import current_rights

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a segment keeps. ``ttl_factor`` scales every time to live; 0 keeps nothing."""

    entries: int = 1_000
    bytes: int = 32_000_000
    ttl_factor: float = 1.0


@dataclass(slots=True)
class Statistics:
    """What a segment did since the start; ``joined`` are requests that shared another one's load."""

    hits: int = 0
    misses: int = 0
    joined: int = 0
    evicted: int = 0
    entries: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    value: object
    expires_at: float
    size: int


@dataclass(slots=True)
class _Load:
    """A load in progress. ``waiting`` counts its callers; the last one to leave cancels it."""

    task: asyncio.Task[object]
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class _Limited:
    """The key of what was read by a call that is held to rights of its own: no call with other rights may have it."""

    key: Hashable
    rights: str


@dataclass(slots=True)
class _Segment:
    bounds: Bounds
    entries: OrderedDict[Hashable, _Entry] = field(default_factory=OrderedDict["Hashable", _Entry])
    loads: dict[Hashable, _Load] = field(default_factory=dict["Hashable", _Load])
    statistics: Statistics = field(default_factory=Statistics)


class SegmentedCache:
    """Implements `contract.service.Cache`.

    Least recently used entries go first when a segment is over its bounds. A load that began before a `drop` is not
    kept and not joined after it, so that a read after a write sees the write. What a call with limited rights reads is
    kept for calls with equal rights alone.
    """

    def __init__(
        self,
        *,
        default: Bounds | None = None,
        bounds: Mapping[str, Bounds] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._default = default or Bounds()
        self._bounds = dict(bounds or {})
        self._clock = clock
        self._segments: dict[str, _Segment] = {}

    async def fetch(
        self,
        segment: str,
        key: Hashable,
        load: Callable[[], Awaitable[ValueT]],
        *,
        ttl: float,
        size: Callable[[ValueT], int] | None = None,
    ) -> ValueT:
        """The kept value, or what ``load`` gives; see `contract.service.Cache.fetch`."""
        kept, key = self._segment(segment), _within_rights(key)
        entry = kept.entries.get(key)
        if entry is not None and entry.expires_at > self._clock():
            kept.entries.move_to_end(key)
            kept.statistics.hits += 1
            return cast("ValueT", entry.value)
        running = kept.loads.get(key)
        if running is None:
            kept.statistics.misses += 1
            running = self._begin(kept, key, load, ttl, size)
        else:
            kept.statistics.joined += 1
        return cast("ValueT", await _share(kept, key, running))

    def holds(self, segment: str, key: Hashable) -> bool:
        """Whether a value is kept now; see `contract.service.Cache.holds`."""
        entry = self._segment(segment).entries.get(_within_rights(key))
        return entry is not None and entry.expires_at > self._clock()

    def drop(self, segment: str, key: Hashable | None = None) -> None:
        """Forget one key for all callers, or the whole segment; loads under way are answered but not kept."""
        kept = self._segments.get(segment)
        if kept is None:
            return
        for found in [one for one in kept.entries if key is None or _means(one, key)]:
            _remove(kept, found)
        for found in [one for one in kept.loads if key is None or _means(one, key)]:
            del kept.loads[found]

    def statistics(self) -> Mapping[str, Statistics]:
        """Statistics by segment, as of now."""
        return {name: kept.statistics for name, kept in self._segments.items()}

    def _segment(self, name: str) -> _Segment:
        kept = self._segments.get(name)
        if kept is None:
            kept = self._segments[name] = _Segment(self._bounds.get(name, self._default))
        return kept

    def _begin(
        self,
        kept: _Segment,
        key: Hashable,
        load: Callable[[], Awaitable[ValueT]],
        ttl: float,
        size: Callable[[ValueT], int] | None,
    ) -> _Load:
        async def run() -> object:
            try:
                value = await load()
                if kept.loads.get(key) is running:
                    self._keep(kept, key, value, ttl, size(value) if size else 0)
                return value
            finally:
                if kept.loads.get(key) is running:
                    del kept.loads[key]

        coroutine: Coroutine[object, object, object] = run()
        running = _Load(asyncio.create_task(coroutine))
        kept.loads[key] = running
        return running

    def _keep(self, kept: _Segment, key: Hashable, value: object, ttl: float, size: int) -> None:
        _remove(kept, key)
        lasts = ttl * kept.bounds.ttl_factor
        if lasts <= 0 or size > kept.bounds.bytes or kept.bounds.entries <= 0:
            return
        kept.entries[key] = _Entry(value, self._clock() + lasts, size)
        kept.statistics.entries += 1
        kept.statistics.bytes += size
        while len(kept.entries) > kept.bounds.entries or kept.statistics.bytes > kept.bounds.bytes:
            _remove(kept, next(iter(kept.entries)))
            kept.statistics.evicted += 1


async def _share(kept: _Segment, key: Hashable, load: _Load) -> object:
    """Wait for a load; a caller that is cancelled leaves it to the others, the last one cancels it."""
    load.waiting += 1
    try:
        return await asyncio.shield(load.task)
    except asyncio.CancelledError:
        if load.waiting == 1 and not load.task.done():
            if kept.loads.get(key) is load:
                del kept.loads[key]  # nobody may join what is ending: it would end them too
            load.task.cancel()
            await asyncio.gather(load.task, return_exceptions=True)
        raise
    finally:
        load.waiting -= 1


def _remove(kept: _Segment, key: Hashable) -> None:
    entry = kept.entries.pop(key, None)
    if entry is not None:
        kept.statistics.entries -= 1
        kept.statistics.bytes -= entry.size


def _within_rights(key: Hashable) -> Hashable:
    rights = current_rights()
    return key if rights is None else _Limited(key, rights.digest)


def _means(kept: Hashable, key: Hashable) -> bool:
    return kept == key or (isinstance(kept, _Limited) and kept.key == key)
