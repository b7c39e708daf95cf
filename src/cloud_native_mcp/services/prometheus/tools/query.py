"""`prometheus_query`: run PromQL at an instant or over a range, list exemplars, or explain an expression."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.call import Call
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.times import parse_duration
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.prometheus.catalogue import catalogue_of
from cloud_native_mcp.services.prometheus.query_views import exemplars, explain, instant, span
from cloud_native_mcp.services.prometheus.query_views.execution import Execution
from cloud_native_mcp.services.prometheus.ranges import Grid, grid, window
from cloud_native_mcp.services.prometheus.ranges import instant as instant_of
from cloud_native_mcp.services.prometheus.service import PrometheusService

_USUAL_POINTS_SIZE = 13_000
_MOST_POINTS_SIZE = 36_000
OWN_ERRORS = {
    "bad_query": "the expression is wrong (with position), or cannot be evaluated",
    "too_heavy": "too many samples, or evaluation took too long: narrow it",
    "no_data": "a selector finds nothing; says whether the metric exists and when it was last seen",
}


class QueryArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of `prometheus_query`."""

    query: Annotated[str, Meta(description="PromQL expression", extra=FREE_TEXT)]
    time: Annotated[str, Meta(description="Instant to evaluate at (no `from`)")] = "now"
    from_: Annotated[str | UnsetType, Meta(description="Start of range: now-1h, RFC 3339 or Unix time")] = (
        msgspec.field(default=UNSET, name="from")
    )
    to: Annotated[str, Meta(description="End of range")] = "now"
    step: Annotated[str | UnsetType, Meta(description="Resolution such as 30s; automatic if absent")] = UNSET
    view: Annotated[
        Literal["summary", "points", "image", "exemplars", "explain"],
        Meta(description="summary: min/max/avg/last per series; image: a PNG plot"),
    ] = "summary"
    max_points: Annotated[int, Meta(description="Points per series at most", ge=10, le=1000)] = 300
    limit: Annotated[int, Meta(description="Rows at most", ge=1, le=500)] = 50
    timeout: Annotated[str | UnsetType, Meta(description="Evaluation limit such as 20s")] = UNSET


@tool(
    "query",
    args=QueryArgs,
    effect=Effect.READ,
    toolset="core",
    description=(
        "Run PromQL. With `from` it is a range query with automatic step, else an instant query. Default answer for "
        "ranges is a summary per series. `view=explain` checks and formats the expression without running it."
    ),
    own_errors=OWN_ERRORS,
)
async def query(call: Call[PrometheusService], args: QueryArgs) -> Result:
    """Run the query in the asked view."""
    if args.view == "image":
        raise ToolError(
            "unsupported", "view: this server draws no plots; use view=summary (with a trend) or view=points"
        )
    _check_times(call, args)
    execution = _execution(call, args)
    if args.view == "explain":
        ranged = isinstance(args.from_, str)
        return await explain.evaluate(execution, instant_of(args.to, field="to") if ranged else _time(args))
    if isinstance(args.from_, UnsetType):
        return await instant.evaluate(execution, _time(args), points=args.view == "points")
    if args.view == "exemplars":
        return await exemplars.evaluate(execution, window(args.from_, args.to))
    size = _MOST_POINTS_SIZE if "max_points" in call.given else _USUAL_POINTS_SIZE
    return await span.evaluate(execution, _grid(args, args.from_), points_size=size if args.view == "points" else None)


def _check_times(call: Call[PrometheusService], args: QueryArgs) -> None:
    """Refuse arguments of the other form, which would be ignored."""
    if not args.query.strip():
        raise InvalidArgument("query", "is empty; give a PromQL expression such as up")
    if isinstance(args.from_, str):
        if "time" in call.given:
            raise InvalidArgument("time", "is for instant queries; with from the range ends at to")
        return
    if args.view == "exemplars":
        raise InvalidArgument("from", "is required for view=exemplars, such as now-1h")
    for name in ("to", "step", "max_points"):
        if name in call.given:
            raise InvalidArgument(name, "is for range queries; add from, such as now-1h")


def _execution(call: Call[PrometheusService], args: QueryArgs) -> Execution:
    timeout = None
    if isinstance(args.timeout, str):
        timeout = parse_duration(args.timeout, field="timeout")
        if timeout.total_seconds() <= 0:
            raise InvalidArgument("timeout", "must be longer than zero, such as 20s")
    return Execution(
        backend=call.service.backend(call.target),
        query=args.query,
        limit=args.limit,
        deadline=call.deadline,
        catalogue=catalogue_of(call),
        timeout=timeout,
    )


def _time(args: QueryArgs) -> datetime:
    return instant_of(args.time, field="time")


def _grid(args: QueryArgs, start: str) -> Grid:
    step = args.step if isinstance(args.step, str) else None
    return grid(start, args.to, step, max_points=args.max_points)


TOOLS = (query,)
