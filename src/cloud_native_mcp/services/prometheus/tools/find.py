"""`prometheus_find`: discover metrics, labels, values, series and metadata."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.call import Call
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.expressions import Search
from cloud_native_mcp.services.prometheus.catalogue import catalogue_of
from cloud_native_mcp.services.prometheus.find_views import metadata, names
from cloud_native_mcp.services.prometheus.find_views.scope import scope
from cloud_native_mcp.services.prometheus.find_views.series import series
from cloud_native_mcp.services.prometheus.paging import resumed, resumed_after
from cloud_native_mcp.services.prometheus.service import PrometheusService

_FOR_METADATA = ("metric", "per_target")
_NOT_FOR_METADATA = ("label", "from", "to")
OWN_ERRORS = {
    "bad_selector": "a selector is malformed, or would match everything",
    "match_required": "series need a selector or a search",
    "no_data": "nothing found; names the window and filters used",
    "too_many": "more than 10,000 series; gives counts by metric",
}


class FindArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of `prometheus_find`."""

    what: Annotated[Literal["metrics", "labels", "values", "series", "metadata"], Meta(description="What to list")] = (
        "metrics"
    )
    search: Annotated[str | UnsetType, Meta(description="Substring or RE2 regex on the name", extra=FREE_TEXT)] = UNSET
    label: Annotated[str | UnsetType, Meta(description="For values: label name")] = UNSET
    match: Annotated[list[str] | UnsetType, Meta(description='Series selectors such as up{job="api"}')] = UNSET
    metric: Annotated[str | UnsetType, Meta(description="For metadata: exact name")] = UNSET
    per_target: Annotated[bool, Meta(description="metadata: show which targets expose it")] = False
    from_: Annotated[str, Meta(description="Start: now-1h, RFC 3339 or Unix time")] = msgspec.field(
        default="now-1h", name="from"
    )
    to: Annotated[str, Meta(description="End, same forms")] = "now"
    limit: Annotated[int, Meta(description="Rows at most", ge=1, le=1000)] = 100
    cursor: Annotated[str | UnsetType, Meta(description="From the previous answer's next_cursor")] = UNSET


@tool(
    "find",
    args=FindArgs,
    effect=Effect.READ,
    toolset="core",
    freshness="ttl",
    untrusted=True,
    description=(
        "Discover what can be queried: metric names with type and help, label names, values of one label, or series. "
        "Filter with `search` and `match` so that only what is needed is loaded."
    ),
    own_errors=OWN_ERRORS,
)
async def find(call: Call[PrometheusService], args: FindArgs) -> Result:
    """List what was asked for."""
    _check_fit(call, args)
    catalogue = catalogue_of(call)
    search = Search(args.search, field="search") if isinstance(args.search, str) and args.search else None
    match = args.match if isinstance(args.match, list) else []
    metric = args.metric if isinstance(args.metric, str) else ""
    if args.what == "metadata":
        start = resumed(call, args.cursor)
        if not args.per_target:
            return await metadata.metadata(catalogue, metric=metric, search=search, start=start, limit=args.limit)
        one = match[0] if match else ""
        return await metadata.metadata_by_target(
            catalogue, metric=metric, match=one, search=search, start=start, limit=args.limit
        )
    view = scope(catalogue, start=args.from_, end=args.to, match=match, search=search)
    after = resumed_after(call, args.cursor)
    if args.what == "labels":
        return await names.labels(view, after=after, limit=args.limit)
    if args.what == "values":
        return await names.values(view, _label(args), after=after, limit=args.limit)
    if args.what == "series":
        return await series(view, after=after, limit=args.limit)
    return await names.metrics(view, after=after, limit=args.limit)


def _check_fit(call: Call[PrometheusService], args: FindArgs) -> None:
    """Refuse arguments that would be ignored."""
    refused = _NOT_FOR_METADATA if args.what == "metadata" else _FOR_METADATA
    if args.what in {"metrics", "labels", "series"}:
        refused = (*refused, "label")
    for name in refused:
        if name in call.given:
            raise InvalidArgument(name, f"does not apply to what={args.what}")
    if args.what != "metadata":
        return
    several = isinstance(args.match, list) and len(args.match) > 1
    if "match" in call.given and (several or not args.per_target):
        raise InvalidArgument("match", "what=metadata takes one selector of target labels, with per_target=true")
    if args.per_target and "metric" not in call.given and "match" not in call.given:
        raise InvalidArgument("metric", "is required with per_target, or match with one selector of target labels")


def _label(args: FindArgs) -> str:
    if not isinstance(args.label, str) or not args.label:
        raise InvalidArgument("label", "is required for what=values, such as job")
    return args.label


TOOLS = (find,)
