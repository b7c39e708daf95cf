"""Storage: what takes most of the head block, and the blocks on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.result import Page, Result, Table
from cloud_native_mcp.contract.times import format_age, rfc3339
from cloud_native_mcp.services.prometheus.answers import Block, Blocks, BlockStats, Reply, TsdbStatus
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.numbers import moment
from cloud_native_mcp.services.prometheus.status_views.overview import head_facts

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.prometheus.answers import Count
    from cloud_native_mcp.services.prometheus.catalogue import Catalogue
    from cloud_native_mcp.services.prometheus.service import Backend

_COLUMNS: Final = ("BLOCK", "FROM", "TO", "LENGTH", "SERIES", "SAMPLES", "CHUNKS", "LEVEL", "TOMBSTONES")


async def cardinality(catalogue: Catalogue, *, limit: int) -> Result:
    """The four tables of what is most: series by metric, values by label, memory by label, series by pair."""

    async def load() -> TsdbStatus:
        asked = Asked("cardinality", alternative='query topk(10, count by (__name__) ({__name__=~".+"})) instead')
        params = [("limit", str(limit))]
        client = catalogue.backend.client
        reply = await client.get("/status/tsdb", Reply[TsdbStatus], asked, deadline=catalogue.deadline, params=params)
        return reply.data or TsdbStatus()

    status = await catalogue.kept(("cardinality", limit), load)
    facts = head_facts(status.head_stats) if status.head_stats else []
    said = ", ".join(f"{name} {value}" for name, value in facts)
    tables = [
        _counts("METRIC", "SERIES", status.series_count_by_metric_name, limit),
        _counts("LABEL", "VALUES", status.label_value_count_by_label_name, limit),
        _counts("LABEL", "BYTES", status.memory_in_bytes_by_label_name, limit),
        _counts("LABEL PAIR", "SERIES", status.series_count_by_label_value_pair, limit),
    ]
    page = Page(resume=None, total=sum(len(table.rows) for table in tables), narrow="limit")
    header = f"{catalogue.backend.name}: the {limit} largest of each in the head block{f' ({said})' if said else ''}"
    return Result(header=header, blocks=[table for table in tables if table.rows], page=page)


async def blocks(backend: Backend, deadline: Deadline, *, limit: int) -> Result:
    """The blocks on disk, newest first."""
    asked = Asked("blocks", alternative="they came with Prometheus 3.6; view=cardinality shows the head block")
    reply = await backend.client.get("/status/tsdb/blocks", Reply[Blocks], asked, deadline=deadline)
    found = sorted((reply.data.blocks if reply.data else None) or [], key=lambda block: -block.max_time)
    table = Table(_COLUMNS, [_block_row(block) for block in found[:limit]])
    header = f"{backend.name}: {number_of(len(found), 'block')} on disk, newest first"
    return Result(
        header=header, blocks=[table] if found else [], page=Page(resume=None, total=len(found), narrow="limit")
    )


def _counts(name: str, what: str, counts: list[Count] | None, limit: int) -> Table:
    rows: list[list[Cell]] = [[entry.name, entry.value] for entry in (counts or [])[:limit]]
    return Table([name, what], rows, title=f"{what.lower()} by {name.lower()}")


def _block_row(block: Block) -> list[Cell]:
    start, end = moment(block.min_time / 1000), moment(block.max_time / 1000)
    stats = block.stats or BlockStats()
    level = block.compaction.level if block.compaction else None
    counts = [stats.num_series, stats.num_samples, stats.num_chunks]
    return [block.ulid, rfc3339(start), rfc3339(end), format_age(end - start), *counts, level, stats.num_tombstones]
