"""What targets say of their metrics: type, unit and help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.result import Result, Table
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.prometheus.answers import Metadata, Reply, TargetMetadata
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.labels import series_text
from cloud_native_mcp.services.prometheus.paging import page_of

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.response.expressions import Search
    from cloud_native_mcp.services.prometheus.catalogue import Catalogue
    from cloud_native_mcp.services.prometheus.client import Params

_ALTERNATIVE = "this backend keeps no metadata; use what=metrics for the names"
_NARROW = "search or metric"


async def metadata(catalogue: Catalogue, *, metric: str, search: Search | None, start: int, limit: int) -> Result:
    """Type, unit and help by metric; one metric may have several, when its targets disagree.

    Raises:
        ToolError: ``no_data``.
    """
    if metric:
        known = await catalogue.kept(("metadata", metric), lambda: _of_metric(catalogue, metric))
    else:
        known = {name: [entry] for name, entry in (await catalogue.metadata()).items()}
    rows: list[list[Cell]] = [
        [name, entry.type or None, entry.unit or None, entry.help or None]
        for name, entries in sorted(known.items())
        if search is None or search.finds(name)
        for entry in entries
    ]
    if not rows:
        raise await _nothing(catalogue, metric, search)
    return _result(catalogue, ["METRIC", "TYPE", "UNIT", "HELP"], rows, start, limit, "metadata of metrics")


async def metadata_by_target(
    catalogue: Catalogue, *, metric: str, match: str, search: Search | None, start: int, limit: int
) -> Result:
    """Which targets expose a metric (or what one target exposes), with type and help.

    Raises:
        ToolError: ``no_data``.
    """
    params: Params = [("metric", metric)] if metric else []
    if match:
        params.append(("match_target", match))

    async def load() -> list[TargetMetadata]:
        asked = Asked("metadata by target", bad_data="bad_selector", alternative=_ALTERNATIVE)
        shape = Reply[list[TargetMetadata]]
        client = catalogue.backend.client
        reply = await client.get("/targets/metadata", shape, asked, deadline=catalogue.deadline, params=params)
        return reply.data or []

    found = await catalogue.kept(("metadata by target", metric, match), load)
    rows: list[list[Cell]] = [
        [entry.metric or metric, series_text(entry.target), entry.type or None, entry.unit or None, entry.help or None]
        for entry in found
        if search is None or search.finds(entry.metric or metric)
    ]
    if not rows:
        raise await _nothing(catalogue, metric, search)
    rows.sort(key=lambda row: (str(row[0]), str(row[1])))
    columns = ["METRIC", "TARGET", "TYPE", "UNIT", "HELP"]
    return _result(catalogue, columns, rows, start, limit, "metadata by target")


async def _of_metric(catalogue: Catalogue, metric: str) -> dict[str, list[Metadata]]:
    asked = Asked(f"metadata of {metric}", alternative=_ALTERNATIVE)
    reply = await catalogue.backend.client.get(
        "/metadata",
        Reply[dict[str, list[Metadata]]],
        asked,
        deadline=catalogue.deadline,
        params=[("metric", metric)],
    )
    return reply.data or {}


def _result(
    catalogue: Catalogue, columns: list[str], rows: list[list[Cell]], start: int, limit: int, what: str
) -> Result:
    shown, page = page_of(rows, start, limit, narrow=_NARROW)
    name = catalogue.backend.name
    table = Table(columns, shown, untrusted=True, source=f"prometheus {name} metadata")
    return Result(header=f"{name}: {what}, {len(rows)} entries", blocks=[table], page=page)


async def _nothing(catalogue: Catalogue, metric: str, search: Search | None) -> ToolError:
    what = f"of {metric!a}" if metric else f"with search {search.text!a}" if search else "at all"
    near = nearest(metric, await catalogue.metadata()) if metric else []
    hint = f"; nearest: {', '.join(near)}" if near else ""
    return ToolError("no_data", f"prometheus target {catalogue.backend.name}: no metadata {what}{hint}", kind="fix")
