"""Exemplars: single observations with the trace they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.result import Page, Result, Table
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.prometheus.answers import ExemplarSeries, Reply
from cloud_native_mcp.services.prometheus.labels import series_text, shared
from cloud_native_mcp.services.prometheus.numbers import moment, parameter

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.contract.times import TimeRange
    from cloud_native_mcp.services.prometheus.query_views.execution import Execution


async def evaluate(execution: Execution, span: TimeRange) -> Result:
    """The exemplars of the query's series in a range, newest first.

    Raises:
        ToolError: ``no_data`` when there are none.
    """
    params = [("query", execution.query), ("start", parameter(span.start)), ("end", parameter(span.end))]
    client = execution.backend.client
    reply = await client.post(
        "/query_exemplars", Reply[list[ExemplarSeries]], execution.asked, deadline=execution.deadline, params=params
    )
    found = [(one.series_labels, exemplar) for one in reply.data or [] for exemplar in one.exemplars or []]
    where = f"between {rfc3339(span.start)} and {rfc3339(span.end)}"
    if not found:
        text = (
            f"prometheus target {execution.backend.name}: no exemplars {where}; targets must send them (OpenMetrics) "
            "and the server must keep them (--enable-feature=exemplar-storage)"
        )
        raise ToolError("no_data", text, kind="fix")
    found.sort(key=lambda pair: -pair[1].timestamp)
    common = shared([labels for labels, _ in found])
    rows: list[list[Cell]] = [
        [
            rfc3339(moment(exemplar.timestamp)),
            exemplar.value,
            " ".join(f"{name}={value}" for name, value in sorted(exemplar.labels.items())),
            series_text(labels, without=common),
        ]
        for labels, exemplar in found[: execution.limit]
    ]
    title = f"all have {series_text(common)}" if common else ""
    return Result(
        header=f"{execution.backend.name}: exemplars {where}, newest first",
        blocks=[Table(columns=["TIME", "VALUE", "EXEMPLAR", "SERIES"], rows=rows, title=title)],
        page=Page(resume=None, total=len(found), narrow="label matchers or a shorter range"),
    )
