"""Statistics of the cache in the Prometheus format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_native_mcp.cache.store import SegmentedCache


class CacheCollector(Collector):
    """Reads a cache's statistics whenever the metrics are asked for; labels are names of segments."""

    def __init__(self, cache: SegmentedCache) -> None:
        self._cache = cache

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """The families ``cnmcp_cache_{reads,evicted,entries,bytes}``."""
        reads = CounterMetricFamily(
            "cnmcp_cache_reads",
            "Reads by how they were answered: kept, loaded, or another's load.",
            labels=["segment", "by"],
        )
        evicted = CounterMetricFamily("cnmcp_cache_evicted", "Answers that had to make room.", labels=["segment"])
        entries = GaugeMetricFamily("cnmcp_cache_entries", "Answers kept.", labels=["segment"])
        size = GaugeMetricFamily(
            "cnmcp_cache_bytes", "Bytes of the answers kept whose size is known.", labels=["segment"]
        )
        for segment, seen in self._cache.statistics().items():
            for by, count in (("hit", seen.hits), ("miss", seen.misses), ("joined", seen.joined)):
                reads.add_metric([segment, by], count)
            evicted.add_metric([segment], seen.evicted)
            entries.add_metric([segment], seen.entries)
            size.add_metric([segment], seen.bytes)
        yield from (reads, evicted, entries, size)
