"""`prometheus_status`: the state of the server itself."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.call import Call
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.prometheus.catalogue import catalogue_of
from cloud_native_mcp.services.prometheus.service import PrometheusService
from cloud_native_mcp.services.prometheus.status_views import settings, storage
from cloud_native_mcp.services.prometheus.status_views.notifications import notifications
from cloud_native_mcp.services.prometheus.status_views.overview import overview, wal_replay

_SEARCHED = ("flags", "features")
OWN_ERRORS = {"not_ready": "the server is starting: says how far replaying its log is"}


class StatusArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of `prometheus_status`."""

    view: Annotated[
        Literal["overview", "cardinality", "blocks", "config", "flags", "features", "walreplay", "notifications"],
        Meta(description="Part to show"),
    ] = "overview"
    path: Annotated[str | UnsetType, Meta(description="config: part such as scrape_configs or a job name")] = UNSET
    search: Annotated[str | UnsetType, Meta(description="flags, features: substring", extra=FREE_TEXT)] = UNSET
    limit: Annotated[int, Meta(description="Rows per table", ge=1, le=200)] = 10


@tool(
    "status",
    args=StatusArgs,
    effect=Effect.READ,
    description=(
        "State of the server itself: version, uptime, retention, storage and cardinality, WAL replay, flags, feature "
        "flags, loaded configuration, readiness."
    ),
    own_errors=OWN_ERRORS,
)
async def status(call: Call[PrometheusService], args: StatusArgs) -> Result:
    """Show one part of the server's state."""
    if "path" in call.given and args.view != "config":
        raise InvalidArgument("path", f"is for view=config, not for view={args.view}")
    if "search" in call.given and args.view not in _SEARCHED:
        raise InvalidArgument("search", f"is for view=flags and view=features, not for view={args.view}")
    catalogue = catalogue_of(call)
    backend, deadline = catalogue.backend, call.deadline
    search = args.search if isinstance(args.search, str) else ""
    match args.view:
        case "overview":
            return await overview(backend, deadline)
        case "walreplay":
            return await wal_replay(backend, deadline)
        case "notifications":
            return await notifications(backend, deadline, limit=args.limit)
        case "cardinality":
            return await storage.cardinality(catalogue, limit=args.limit)
        case "blocks":
            return await storage.blocks(backend, deadline, limit=args.limit)
        case "config":
            path = args.path if isinstance(args.path, str) else ""
            return await settings.config(catalogue, path=path, limit=args.limit)
        case "flags":
            return await settings.flags(catalogue, search=search, limit=args.limit)
        case "features":
            return await settings.features(catalogue, search=search, limit=args.limit)


TOOLS = (status,)
