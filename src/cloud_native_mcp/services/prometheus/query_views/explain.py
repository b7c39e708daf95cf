"""An expression checked and formatted without running it: its tree, its selectors with counts, and remarks."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Result, Table, Text
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.prometheus.answers import Reply
from cloud_native_mcp.services.prometheus.catalogue import metadata_of
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.numbers import parameter, seconds_shown, span_shown
from cloud_native_mcp.services.prometheus.query_views.absence import CHECKED, selectors_of, unknown_metric
from cloud_native_mcp.services.prometheus.syntax import outline

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_native_mcp.contract.result import Block
    from cloud_native_mcp.services.prometheus.answers import Metadata
    from cloud_native_mcp.services.prometheus.query_views.execution import Execution
    from cloud_native_mcp.services.prometheus.syntax import Leaf

_RATES: Final = frozenset({"rate", "irate", "increase"})
_FOR_COUNTERS: Final = _RATES | {
    *("resets", "changes", "absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp"),
    *("count", "group", "count_values", "scalar", "delta", "idelta"),
}
_SAMPLED: Final = 10
"""Series whose samples tell the interval: some may be too new to have two."""
_SCRAPES: Final = 4
"""A window should hold at least so many scrapes."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A selector with what is known of it; ``series`` is None where the count failed."""

    leaf: Leaf
    series: int | None
    type: str
    interval: float | None


async def evaluate(execution: Execution, when: datetime) -> Result:
    """Explain the query; counts are taken at the given time.

    Raises:
        BackendError: ``bad_query`` with the position of a mistake.
    """
    formatted = await _formatted(execution)
    found, tree = await selectors_of(execution)
    types, partial = await _types(execution)
    examined = [await _examine(execution, leaf, when, types) for leaf in found[:CHECKED]]
    remarks = [remark for one in examined for remark in await _remarks(execution, one)]
    blocks: list[Block] = [Text(formatted, title="formatted")] if formatted else []
    if tree is not None:
        blocks.append(Text("\n".join(outline(tree)), title="tree"))
    if examined:
        blocks.append(_table(examined))
    notes = [] if tree is not None else ["no tree: this backend does not parse queries (it came with Prometheus 3.0)"]
    if len(found) > CHECKED:
        notes.append(f"{len(found) - CHECKED} more selectors were not counted")
    if remarks:
        blocks.append(Text("\n".join(f"- {remark}" for remark in dict.fromkeys(remarks)), title="remarks"))
    else:
        notes.append("no remarks")
    header = f"{execution.backend.name}: valid expression, not run; counts at {rfc3339(when)}"
    return Result(header=header, blocks=blocks, notes=notes, partial=partial)


async def _formatted(execution: Execution) -> str:
    asked = Asked(f"format {execution.asked.what}", bad_data="bad_query")
    try:
        reply = await execution.backend.client.post(
            "/format_query", Reply[str], asked, deadline=execution.deadline, params=[("query", execution.query)]
        )
    except BackendError as error:
        if error.code != "unsupported" or error.status not in {404, 405, 501}:
            raise
        return ""
    return reply.data or ""


async def _types(execution: Execution) -> tuple[dict[str, Metadata], list[str]]:
    try:
        return await execution.catalogue.metadata(), []
    except BackendError as error:
        return {}, [f"types of metrics: {error.text}"]


async def _examine(execution: Execution, leaf: Leaf, when: datetime, types: dict[str, Metadata]) -> Examined:
    known = metadata_of(leaf.selector.metric, types)
    series = await _count(execution, leaf, when)
    interval = await _interval(execution, leaf, when) if leaf.span and series else None
    return Examined(leaf, series, known.type if known else "", interval)


async def _count(execution: Execution, leaf: Leaf, when: datetime) -> int | None:
    """Series of a selector, with its offset taken into account."""
    params = [("query", f"count({leaf.selector.text()})"), ("time", parameter(when - leaf.shift))]
    asked = Asked(f"count of {leaf.text()}", bad_data="bad_query")
    try:
        answer = await execution.backend.client.query(
            "/query", asked, deadline=execution.deadline, params=params, keep=1
        )
    except BackendError as error:
        if error.code != "too_heavy":
            raise
        return None
    value = answer.series[0].value if answer.series else None
    return int(float(value[1])) if value else 0


async def _interval(execution: Execution, leaf: Leaf, when: datetime) -> float | None:
    """Seconds between the samples of the selector's first series, or None when they have too few."""
    params = [("query", f"{leaf.selector.text()}[10m]"), ("time", parameter(when - leaf.shift))]
    asked = Asked(f"samples of {leaf.text()}", bad_data="bad_query")
    answer = await execution.backend.client.query(
        "/query", asked, deadline=execution.deadline, params=params, keep=_SAMPLED, enough=True
    )
    times = [[at for at, _ in one.values] or [at for at, _ in one.histograms] for one in answer.series]
    steps = [later - earlier for each in times for earlier, later in itertools.pairwise(each)]
    return statistics.median(steps) if steps else None


def _table(examined: list[Examined]) -> Table:
    rows = [
        [
            one.leaf.text(),
            span_shown(one.leaf.span) if one.leaf.span else None,
            one.series if one.series is not None else "too many",
            one.type or None,
            seconds_shown(one.interval) if one.interval else None,
        ]
        for one in examined
    ]
    return Table(columns=["SELECTOR", "RANGE", "SERIES", "TYPE", "SCRAPED EVERY"], rows=rows, title="selectors")


async def _remarks(execution: Execution, one: Examined) -> list[str]:
    leaf, name = one.leaf, one.leaf.text()
    metric = leaf.selector.metric
    rates = [word for word in leaf.around if word in _RATES]
    said: list[str] = []
    if rates and one.type == "gauge":
        said.append(f"{rates[0]}() over the gauge {name}: rates are for counters; use delta() or deriv()")
    if one.type == "counter" and not _FOR_COUNTERS & set(leaf.around):
        said.append(f"{name} is a counter: without rate() or increase() its value only says how long it has counted")
    if leaf.span and one.interval and leaf.span.total_seconds() < _SCRAPES * one.interval:
        every = seconds_shown(one.interval)
        least = seconds_shown(_SCRAPES * one.interval)
        said.append(
            f"{name}[{span_shown(leaf.span)}] holds under {_SCRAPES} scrapes (every {every}): use at least {least}"
        )
    if one.series == 0:
        names = await execution.catalogue.metric_names()
        if metric and metric not in names:
            said.append(unknown_metric(metric, names))
        else:
            said.append(f"{name} finds no series now")
    return said
