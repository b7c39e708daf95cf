"""``utilities_status``: this server, its services and their backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result, Table, Text
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.contract.server import ServerView, ServiceHealth, TargetHealth
    from cloud_native_mcp.services.utilities.service import UtilitiesService

_COLUMNS = ("SERVICE", "TARGET", "STATE", "LATENCY", "VERSION", "MODE", "LAST ERROR")


class StatusArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``utilities_status``."""

    service: Annotated[str, Meta(description="Only this service")] | UnsetType = UNSET
    probe: Annotated[bool, Meta(description="Test each backend now")] = False


@tool(
    "status",
    args=StatusArgs,
    effect=Effect.READ,
    description="This server: version, enabled services with reachability, configured targets, allowed effects, "
    "limits, and why a service is unavailable.",
    freshness="ttl",
    budget=Budget(6_000, 6_000),
)
async def status(call: Call[UtilitiesService], args: StatusArgs) -> Result:
    """Show health as rows; a dead backend is a row, not an error."""
    server = call.server
    only = args.service if args.service is not UNSET else None
    if only is not None:
        await _require(server, only)
    services = await server.health(service=only, probe=args.probe)
    effects = server.effects(call.principal)
    mode = ",".join(effects)
    rows = [row for service in services for row in _rows(service, mode)]
    about = [f"caller: {call.principal.id} ({call.principal.method})", f"effects: {mode or 'none'}"]
    about += [f"{name}: {words}" for name, words in server.limits().items()]
    return Result(
        header=f"cloud-native-mcp-server {server.version} · {_count(services)} · "
        f"{'tested now' if args.probe else 'last known state'}",
        blocks=[Table(_COLUMNS, rows), Text("\n".join(about))],
        notes=() if args.probe else ("probe=true tests each backend now",),
        facts={"version": server.version, "effects": list(effects), "rows": [list(row) for row in rows]},
    )


async def _require(server: ServerView, name: str) -> None:
    known = [service.name for service in await server.health()]
    if name not in known:
        near = nearest(name, known)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
        raise InvalidArgument("service", f"no service {name[:60]!a}; {hint}")


def _rows(service: ServiceHealth, mode: str) -> Sequence[tuple[Cell, ...]]:
    if service.state != "running" or not service.targets:
        return [
            (service.name, "-", service.state, "-", "-", mode if service.state == "running" else "-", service.reason)
        ]
    return [(service.name, *_target(target, mode)) for target in service.targets]


def _target(target: TargetHealth, mode: str) -> tuple[Cell, ...]:
    latency = "-" if target.latency_ms is None else f"{target.latency_ms:.0f} ms"
    age = "" if target.age_s is None else f" ({target.age_s:.0f}s ago)"
    return (target.target, f"{target.state}{age}", latency, target.version or "-", mode, target.error)


def _count(services: Sequence[ServiceHealth]) -> str:
    running = sum(service.state == "running" for service in services)
    targets = [target for service in services for target in service.targets]
    down = sum(target.state == "unreachable" for target in targets)
    return f"{running} of {len(services)} services running · {len(targets)} targets, {down} unreachable"


TOOLS = (status,)
