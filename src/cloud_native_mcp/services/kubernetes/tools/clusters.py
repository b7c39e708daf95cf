"""``kubernetes_clusters``: the configured clusters and how they are.

API: https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result, Table
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.clusters.addons import find_addons
from cloud_native_mcp.services.kubernetes.clusters.capacity import Capacity, read_capacity
from cloud_native_mcp.services.kubernetes.clusters.health import (
    Check,
    api_services,
    client_certificate,
    probe_checks,
    version_skew,
)
from cloud_native_mcp.services.kubernetes.quantities import show_cpu, show_memory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

PER_CLUSTER_S: Final = 2.0
COUNTS_TTL_S: Final = 30.0
SEGMENT: Final = "kubernetes.capacity"
MOST_KINDS_SHOWN: Final = 6


class ClustersArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_clusters``."""

    view: Annotated[Literal["summary", "health", "addons"], Meta(description="What to show")] = "summary"


@dataclass(frozen=True, slots=True)
class _Row:
    """Rows of one cluster, or why it did not answer."""

    cells: Sequence[Sequence[Cell]]
    note: str = ""


@tool(
    "clusters",
    args=ClustersArgs,
    effect=Effect.READ,
    all_targets=True,
    core_when_several=True,
    untrusted=True,
    budget=Budget(usual=8_000),
    description=(
        "Configured clusters with reachability, version, node and pod counts, capacity, API server health, permissions "
        "in short, and add-ons found."
    ),
)
async def clusters(call: Call[KubernetesService], args: ClustersArgs) -> Result:
    """Facts about the configured clusters; a dead one is a row."""
    # Without a target the question is about all of them.
    names = call.targets if "target" in call.given else call.service.targets
    ask, columns = _VIEWS[args.view]
    rows = await asyncio.gather(*(_bounded(call, name, ask, len(columns)) for name in names))
    return Result(
        header=f"{args.view} of {len(names)} configured cluster{'s' if len(names) > 1 else ''}",
        blocks=[Table(columns, [cells for row in rows for cells in row.cells], untrusted=True, source="clusters")],
        notes=[row.note for row in rows if row.note],
    )


TOOLS = (clusters,)


async def _bounded(
    call: Call[KubernetesService],
    name: str,
    ask: Callable[[Call[KubernetesService], KubernetesClient, Deadline], Awaitable[_Row]],
    width: int,
) -> _Row:
    """Ask one cluster, two seconds at most."""
    deadline = call.deadline.sooner(PER_CLUSTER_S)
    try:
        async with deadline.enforce():
            return await ask(call, call.service.client(name), deadline)
    except TimeoutError:
        return _dead(name, f"no answer within {PER_CLUSTER_S:g} s", width)
    except ToolError as error:
        return _dead(name, f"{error.code}: {error.text}", width)


def _dead(name: str, why: str, width: int) -> _Row:
    return _Row([[name, *([""] * (width - 1))]], note=f"{name} is not reachable: {why}")


async def _summary(call: Call[KubernetesService], client: KubernetesClient, deadline: Deadline) -> _Row:
    start = time.perf_counter()
    version = await client.version(deadline)
    latency = round((time.perf_counter() - start) * 1e3)
    capacity = await call.service.cache.fetch(
        SEGMENT, client.name, lambda: read_capacity(client, deadline=deadline), ttl=COUNTS_TTL_S
    )
    mark = " (default)" if client.name == call.service.targets[0] else ""
    nodes = "-" if capacity.nodes is None else f"{capacity.ready}/{capacity.nodes}"
    cells = (
        f"{client.name}{mark}",
        f"yes ({latency} ms)",
        version.git_version,
        nodes,
        capacity.pods,
        _of(capacity, "cpu", show_cpu),
        _of(capacity, "memory", show_memory),
        ",".join(call.server.effects(call.principal)),
    )
    note = f"{client.name}: not read: {', '.join(capacity.missing)}" if capacity.missing else ""
    return _Row([cells], note)


async def _health(call: Call[KubernetesService], client: KubernetesClient, deadline: Deadline) -> _Row:
    version = await client.version(deadline)
    checks = await probe_checks(client, deadline=deadline)
    checks += await api_services(client, deadline=deadline)
    capacity = await call.service.cache.fetch(
        SEGMENT, client.name, lambda: read_capacity(client, deadline=deadline), ttl=COUNTS_TTL_S
    )
    if capacity.nodes is not None:
        unready = capacity.nodes - capacity.ready
        checks.append(Check("nodes", "warning" if unready else "ok", f"{capacity.ready} of {capacity.nodes} ready"))
        checks.append(version_skew(version.git_version, capacity.kubelets))
    certificate = client_certificate(client.target.tls)
    checks += [certificate] if certificate else []
    return _Row([(client.name, check.name, check.state, check.details) for check in checks])


async def _addons(call: Call[KubernetesService], client: KubernetesClient, deadline: Deadline) -> _Row:
    del call
    catalogue = await client.discovery.catalogue(deadline)
    rows = [
        (client.name, addon.name, ",".join(addon.groups), _kinds(addon.kinds), f"kind={addon.kinds[0]}")
        for addon in find_addons(catalogue)
        if addon.kinds
    ]
    return _Row(rows, note="" if rows else f"{client.name}: no add-ons found")


def _kinds(kinds: Sequence[str]) -> str:
    names = [kind.partition(".")[0] for kind in kinds]
    more = f" (+{len(names) - MOST_KINDS_SHOWN})" if len(names) > MOST_KINDS_SHOWN else ""
    return ", ".join(names[:MOST_KINDS_SHOWN]) + more


def _of(capacity: Capacity, name: str, shown: Callable[[float | None], str]) -> str:
    """``requested/allocatable``."""
    requested = capacity.requested[name] if capacity.requested is not None else None
    return f"{shown(requested)}/{shown(capacity.allocatable.get(name))}"


_VIEWS: Final[
    dict[
        str,
        tuple[
            Callable[[Call[KubernetesService], KubernetesClient, Deadline], Awaitable[_Row]],
            tuple[str, ...],
        ],
    ]
] = {
    "summary": (
        _summary,
        ("NAME", "REACHABLE", "VERSION", "NODES", "PODS", "CPU REQ/ALLOC", "MEMORY REQ/ALLOC", "EFFECTS"),
    ),
    "health": (_health, ("CLUSTER", "CHECK", "STATE", "DETAILS")),
    "addons": (_addons, ("CLUSTER", "ADD-ON", "GROUPS", "KINDS", "LIST WITH")),
}
