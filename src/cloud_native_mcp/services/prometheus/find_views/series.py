"""Series: each with its labels as one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Result, Table
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.prometheus.answers import Reply
from cloud_native_mcp.services.prometheus.labels import NAME, series_text
from cloud_native_mcp.services.prometheus.numbers import parameter
from cloud_native_mcp.services.prometheus.paging import page_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.services.prometheus.find_views.scope import Scope

MOST: Final = 10_000
_TOP: Final = 10


async def series(scope: Scope, *, after: str, limit: int) -> Result:
    """The series that match, sorted.

    Raises:
        ToolError: ``match_required``; ``too_many`` with counts by metric; ``no_data``.
    """
    selectors = scope.selectors_with_search()
    if not selectors:
        text = 'match: is required for what=series, such as up{job="api"} (or search, a part of the metric name)'
        raise ToolError("match_required", text, kind="fix")

    async def load() -> list[str]:
        return await _load(scope, selectors)

    found = await scope.catalogue.kept(scope.key("series"), load)
    if not found:
        raise scope.nothing("series")
    shown, page = page_after(found, after, limit, narrow="search or match")
    header = f"{scope.catalogue.backend.name}: {len(found)} series {scope.describe()}"
    return Result(header=header, blocks=[Table(["SERIES"], [[line] for line in shown])], page=page)


async def _load(scope: Scope, selectors: Sequence[str]) -> list[str]:
    client = scope.catalogue.backend.client
    reply = await client.post(
        "/series",
        Reply[list[dict[str, str]]],
        scope.asked("series"),
        deadline=scope.catalogue.deadline,
        params=[*scope.params(selectors), ("limit", str(MOST + 1))],
    )
    found = reply.data or []
    if len(found) > MOST:
        raise await _too_many(scope, selectors)
    return sorted(series_text(labels) for labels in found)


async def _too_many(scope: Scope, selectors: Sequence[str]) -> ToolError:
    """``too_many`` with the largest metrics."""
    client = scope.catalogue.backend.client
    query = f"topk({_TOP}, count by ({NAME}) ({' or '.join(selectors)}))"
    answer = await client.query(
        "/query",
        scope.asked("series by metric"),
        deadline=scope.catalogue.deadline,
        params=[("query", query), ("time", parameter(scope.span.end))],
        keep=_TOP,
    )
    counts = sorted(
        ((int(float(one.value[1])), one.metric.get(NAME, "{}")) for one in answer.series if one.value is not None),
        reverse=True,
    )
    told = ", ".join(f"{name} {count}" for count, name in counts) or "none at the end of the range"
    name = scope.catalogue.backend.name
    text = f"prometheus target {name}: more than {MOST} series {scope.describe()}; by metric: {told}; narrow match"
    return ToolError("too_many", text, kind="fix")
