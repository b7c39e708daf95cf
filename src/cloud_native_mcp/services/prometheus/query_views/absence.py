"""Why a query gives nothing: which of its selectors find no series, and whether their metrics exist at all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.times import format_age, rfc3339
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.prometheus.answers import Reply
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.labels import NAME, quoted
from cloud_native_mcp.services.prometheus.numbers import moment, number, parameter, span_shown
from cloud_native_mcp.services.prometheus.syntax import Leaf, leaves, leaves_in_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cloud_native_mcp.services.prometheus.query_views.execution import Execution
    from cloud_native_mcp.services.prometheus.syntax import Node

CHECKED: Final = 10
"""Selectors looked at."""
_TOLD: Final = 3
_LOOKBACK: Final = timedelta(minutes=5)
_NEAR: Final = (timedelta(days=1), timedelta(minutes=5))
_FAR: Final = (timedelta(days=30), timedelta(hours=2))


async def selectors_of(execution: Execution) -> tuple[list[Leaf], Node | None]:
    """The selectors of the query and its tree; without ``/parse_query`` (before 3.0) those that the text shows."""
    asked = Asked(f"parse {execution.asked.what}", bad_data="bad_query", alternative="it came with Prometheus 3.0")
    try:
        reply = await execution.backend.client.post(
            "/parse_query",
            Reply[dict[str, object]],
            asked,
            deadline=execution.deadline,
            params=[("query", execution.query)],
        )
    except BackendError as error:
        if error.code != "unsupported" or error.status not in {404, 405, 501}:
            raise
        return leaves_in_text(execution.query), None
    tree = reply.data or {}
    return leaves(tree), tree


async def explain_absence(execution: Execution, start: datetime, end: datetime, *, step: timedelta | None) -> str:
    """Why the query gives nothing between two times, when all its selectors find series there.

    Raises:
        ToolError: ``no_data`` when a selector finds nothing there; the text says whether its metric exists and when it
            was last seen.
    """
    found, _ = await selectors_of(execution)
    missing = [
        leaf for leaf in found[:CHECKED] if not leaf.pinned and not await _has_series(execution, leaf, start, end)
    ]
    if missing:
        told = [await _told(execution, leaf, end) for leaf in missing[:_TOLD]]
        when = f"at {rfc3339(end)}" if start == end else f"between {rfc3339(start)} and {rfc3339(end)}"
        name = execution.backend.name
        raise ToolError("no_data", f"prometheus target {name}: no data {when}: {'; '.join(told)}", kind="fix")
    names = ", ".join(leaf.text() for leaf in found[:_TOLD])
    if not names:
        return "the expression gives no series"
    if step is not None and step > _LOOKBACK:
        return f"series exist in the range ({names}), but none at a step of {span_shown(step)}: shorten the range"
    return f"every selector finds series ({names}), but the expression leaves none of them (a comparison or a join?)"


def unknown_metric(metric: str, names: Iterable[str]) -> str:
    """That a metric does not exist, with the nearest names."""
    near = ", ".join(nearest(metric, names))
    return f"the metric {metric} does not exist; nearest: {near}" if near else f"the metric {metric} does not exist"


async def _has_series(execution: Execution, leaf: Leaf, start: datetime, end: datetime) -> bool:
    reach = max(leaf.span or timedelta(0), _LOOKBACK)
    params = [
        ("match[]", leaf.selector.text()),
        ("start", parameter(start - leaf.shift - reach)),
        ("end", parameter(end - leaf.shift)),
        ("limit", "1"),
    ]
    asked = Asked(f"series {leaf.text()}")
    client = execution.backend.client
    reply = await client.post("/series", Reply[list[dict[str, str]]], asked, deadline=execution.deadline, params=params)
    return bool(reply.data)


async def _told(execution: Execution, leaf: Leaf, end: datetime) -> str:
    metric = leaf.selector.metric
    if metric and not await _exists(execution, metric):
        return unknown_metric(metric, await execution.catalogue.metric_names())
    what = f"{leaf.text()} finds no series"
    return f"{what}; {await _last_seen(execution, leaf, end)}"


async def _exists(execution: Execution, metric: str) -> bool:
    """Whether the metric exists at any time."""
    reply = await execution.backend.client.get(
        f"/label/{NAME}/values",
        Reply[list[str]],
        Asked(f"metric {metric}"),
        deadline=execution.deadline,
        params=[("match[]", f"{{{NAME}={quoted(metric)}}}"), ("limit", "1")],
    )
    return bool(reply.data)


async def _last_seen(execution: Execution, leaf: Leaf, end: datetime) -> str:
    """When the selector last had a sample: exactly within a day, roughly within 30 days."""
    selector = leaf.selector.text()
    try:
        exact = await _last_point(execution, f"max(timestamp({selector}))", end, *_NEAR)
        if exact is not None:
            at = moment(exact[1])
            return f"its last sample is {format_age(end - at)} older than that ({rfc3339(at)})"
        rough = await _last_point(execution, f"count(last_over_time({selector}[2h]))", end, *_FAR)
    except BackendError:
        return "when it was last seen cannot be told"
    if rough is None:
        return "it had no sample in the 30 days before"
    return f"its last sample lies in the two hours before {rfc3339(moment(rough[0]))}"


async def _last_point(
    execution: Execution, query: str, end: datetime, reach: timedelta, step: timedelta
) -> tuple[float, float] | None:
    """Time and value of the last point of a query that gives one series."""
    params = [
        ("query", query),
        ("start", parameter(end - reach)),
        ("end", parameter(end)),
        ("step", f"{step.total_seconds():.0f}"),
    ]
    asked = Asked("last sample", bad_data="bad_query")
    answer = await execution.backend.client.query(
        "/query_range", asked, deadline=execution.deadline, params=params, keep=1
    )
    if not answer.series or not answer.series[0].values:
        return None
    at, value = answer.series[0].values[-1]
    return at, number(value)
