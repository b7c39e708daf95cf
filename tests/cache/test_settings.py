"""What the operator sets of the cache acts, and what the cache does can be seen on the metrics page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server_fixtures import ledger_settings, started

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_native_mcp.contract.service import Cache
    from tests.server_fixtures import Server


def _cache(server: Server) -> Cache:
    return server.app.cache


async def _loads(cache: Cache, segment: str, keys: str) -> int:
    """How many of these reads, one after the other, had to load."""
    loads = 0

    async def load() -> str:
        nonlocal loads
        loads += 1
        return "x" * 100

    for key in keys:
        await cache.fetch(segment, key, load, ttl=60, size=len)
    return loads


@pytest.mark.parametrize(
    ("settings", "loads"),
    [
        ({}, 2),
        ({"enabled": False}, 4),
        ({"ttl_factor": 0}, 4),
        ({"max_entries": 1}, 4),
        ({"max_bytes": 150}, 4),
        ({"max_entries": 1, "segments": {"roomy": {"max_entries": 9}}}, 2),
        ({"segments": {"roomy": {"ttl_factor": 0}, "other": {}}}, 4),
    ],
)
async def test_each_setting_of_the_cache_acts(tmp_path: Path, settings: dict[str, object], loads: int) -> None:
    async with started(ledger_settings(tmp_path, cache=settings)) as server:
        assert await _loads(_cache(server), "roomy", "abab") == loads


async def test_the_metrics_page_counts_what_the_cache_did(tmp_path: Path) -> None:
    async with started(ledger_settings(tmp_path)) as server:
        await _loads(_cache(server), "names", "aab")
        page = server.app.metrics.render()[0].decode()
    for line in (
        'cnmcp_cache_reads_total{by="hit",segment="names"} 1.0',
        'cnmcp_cache_reads_total{by="miss",segment="names"} 2.0',
        'cnmcp_cache_entries{segment="names"} 2.0',
        'cnmcp_cache_bytes{segment="names"} 200.0',
    ):
        assert line in page
