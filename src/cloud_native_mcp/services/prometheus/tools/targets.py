"""`prometheus_targets`: scrape targets, their health and how they were found."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.call import Call
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.prometheus.paging import resumed
from cloud_native_mcp.services.prometheus.service import PrometheusService
from cloud_native_mcp.services.prometheus.target_views import discovery, health

_REFUSED = {"dropped": ("health",), "pools": ("health", "pool"), "relabel": ("health", "cursor", "limit")}


class TargetsArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of `prometheus_targets`."""

    view: Annotated[Literal["summary", "targets", "dropped", "pools", "relabel"], Meta(description="What to show")] = (
        "summary"
    )
    health: Annotated[Literal["up", "down", "unknown"] | UnsetType, Meta(description="Only these")] = UNSET
    pool: Annotated[str | UnsetType, Meta(description="Scrape pool (job) name")] = UNSET
    search: Annotated[str | UnsetType, Meta(description="Substring of labels or URL", extra=FREE_TEXT)] = UNSET
    limit: Annotated[int, Meta(description="Rows at most", ge=1, le=500)] = 50
    cursor: Annotated[str | UnsetType, Meta(description="From the previous answer's next_cursor")] = UNSET


@tool(
    "targets",
    args=TargetsArgs,
    effect=Effect.READ,
    toolset="core",
    untrusted=True,
    description=(
        "Scrape targets: counts by pool and health, and every unhealthy target with its last error. "
        "Filter by pool, health or text."
    ),
)
async def targets(call: Call[PrometheusService], args: TargetsArgs) -> Result:
    """Show the targets in the asked view."""
    for name in _REFUSED.get(args.view, ()):
        if name in call.given:
            raise InvalidArgument(name, f"does not apply to view={args.view}")
    backend, deadline = call.service.backend(call.target), call.deadline
    pool = args.pool if isinstance(args.pool, str) else ""
    search = args.search if isinstance(args.search, str) else ""
    if args.view == "relabel":
        if not pool:
            raise InvalidArgument("pool", "is required for view=relabel; view=pools lists them")
        return await discovery.relabel(backend, deadline, pool=pool, search=search)
    wanted = health.TargetFilter(pool, args.health if isinstance(args.health, str) else "", search)
    if args.view == "summary":
        state = call.cursors.open(args.cursor) if isinstance(args.cursor, str) else {}
        return await health.summary(backend, deadline, wanted, state=state, limit=args.limit)
    start = resumed(call, args.cursor)
    if args.view == "targets":
        return await health.listing(backend, deadline, wanted, start=start, limit=args.limit)
    if args.view == "dropped":
        return await discovery.dropped(backend, deadline, pool=pool, search=search, start=start, limit=args.limit)
    return await discovery.pools(backend, deadline, search=search, start=start, limit=args.limit)


TOOLS = (targets,)
