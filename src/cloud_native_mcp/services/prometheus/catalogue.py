"""What is known of a backend for a minute: metric names and what targets say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.prometheus.answers import Metadata, Reply
from cloud_native_mcp.services.prometheus.client import Asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import Cache, ValueT
    from cloud_native_mcp.services.prometheus.service import Backend, PrometheusService

SECONDS: Final = 60.0
_SEGMENT: Final = "prometheus.discovery"
_SERIES_ENDINGS: Final = ("_bucket", "_count", "_sum", "_total", "_created", "_info")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Slowly changing answers of one backend, kept for a minute per caller."""

    backend: Backend
    cache: Cache
    caller: str
    deadline: Deadline

    async def kept(self, key: Hashable, load: Callable[[], Awaitable[ValueT]]) -> ValueT:
        """The answer of ``load``, at most a minute old."""
        return await self.cache.fetch(_SEGMENT, (self.backend.name, self.caller, key), load, ttl=SECONDS)

    async def metric_names(self) -> list[str]:
        """All metric names, sorted."""
        return await self.kept("metric names", self._load_names)

    async def metadata(self) -> dict[str, Metadata]:
        """What targets say of each metric, by name; the first where they differ."""
        return await self.kept("metadata", self._load_metadata)

    async def _load_names(self) -> list[str]:
        reply = await self.backend.client.get(
            "/label/__name__/values", Reply[list[str]], Asked("metric names"), deadline=self.deadline
        )
        return sorted(reply.data or [])

    async def _load_metadata(self) -> dict[str, Metadata]:
        asked = Asked("metadata", alternative="this backend keeps no metadata")
        shape = Reply[dict[str, list[Metadata]]]
        params = [("limit_per_metric", "1")]
        reply = await self.backend.client.get("/metadata", shape, asked, deadline=self.deadline, params=params)
        return {name: entries[0] for name, entries in (reply.data or {}).items() if entries}


def catalogue_of(call: Call[PrometheusService]) -> Catalogue:
    """The catalogue of the call's target."""
    return Catalogue(call.service.backend(call.target), call.service.cache, call.principal.id, call.deadline)


def metadata_of(metric: str, known: dict[str, Metadata]) -> Metadata | None:
    """The metadata of a metric; series of histograms, summaries and OpenMetrics counters have that of their family."""
    if metric in known:
        return known[metric]
    for ending in _SERIES_ENDINGS:
        if metric.endswith(ending) and (family := metric.removesuffix(ending)) in known:
            return known[family]
    return None
