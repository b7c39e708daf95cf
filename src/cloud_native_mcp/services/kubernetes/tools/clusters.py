"""``kubernetes_clusters``: the configured clusters and how they are.

API: https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result, Table
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import BackendError, ToolError
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
_FENCE_SHOWN: Final = 200
_TO_ANSWER_S: Final = 0.2
"""Left of the time for a cluster to tell what is known without the counts."""
_TOO_SLOW: Final = f"no answer within {PER_CLUSTER_S:g} s"


class ClustersArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_clusters``."""

    view: Annotated[Literal["summary", "health", "addons"], Meta(description="What to show")] = "summary"


@dataclass(frozen=True, slots=True)
class _Row:
    """Rows of one cluster, and a line below the table: what was not read, or why it did not answer."""

    cells: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _View:
    """What is asked of a cluster, how its rows are headed, and the first cells of one that does not answer."""

    ask: Callable[[Call[KubernetesService], KubernetesClient, Deadline], Awaitable[_Row]]
    columns: tuple[str, ...]
    dead: tuple[str, ...]


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
    view = _VIEWS[args.view]
    rows = await together(*(_bounded(call, name, view) for name in names))
    cells = [cells for row in rows for cells in row.cells]
    return Result(
        header=f"{args.view} of {len(names)} configured cluster{'s' if len(names) > 1 else ''}",
        blocks=[Table(view.columns, cells, untrusted=True, source="clusters")] if cells else [],
        notes=[row.note for row in rows if row.note],
    )


TOOLS = (clusters,)


async def _bounded(call: Call[KubernetesService], name: str, view: _View) -> _Row:
    """Ask one cluster, two seconds at most."""
    deadline = call.deadline.sooner(PER_CLUSTER_S)
    try:
        async with deadline.enforce():
            return await view.ask(call, call.service.client(name), deadline)
    except TimeoutError:
        return _dead(name, "timeout", _TOO_SLOW, view)
    except ToolError as error:
        return _dead(name, error.code, error.text, view)


def _dead(name: str, code: str, why: str, view: _View) -> _Row:
    """A row in the view's columns that says so, and the reason below the table."""
    dead, said = ((), "was not asked") if code == DENIED else (view.dead, "did not answer")
    cells = [name, *dead, *([None] * (len(view.columns) - 1 - len(dead)))]
    return _Row([cells], note=f"{name} {said}: {code}: {why}")


async def _summary(call: Call[KubernetesService], client: KubernetesClient, deadline: Deadline) -> _Row:
    start = time.perf_counter()
    version = await client.version(deadline)
    latency = round((time.perf_counter() - start) * 1e3)
    capacity, missing = await _capacity(call, client, deadline)
    mark = " (default)" if client.name == call.service.targets[0] else ""
    cells = (
        f"{client.name}{mark}",
        f"yes ({latency} ms)",
        version.git_version,
        None if capacity.nodes is None else f"{capacity.ready}/{capacity.nodes}",
        capacity.pods,
        _of(capacity, "cpu", show_cpu),
        _of(capacity, "memory", show_memory),
        _mode(call.server.effects(call.principal)),
        _identity(client),
        client.fence.told(_FENCE_SHOWN) or None,
    )
    return _Row([cells], note=f"{client.name}: not read: {missing}" if missing else "")


async def _capacity(
    call: Call[KubernetesService], client: KubernetesClient, deadline: Deadline
) -> tuple[Capacity, str]:
    """Counts and sums, at most 30 s old, and what of them could not be read. A cluster that counts slowly is alive."""
    counting = deadline.sooner(max(0.0, deadline.remaining - _TO_ANSWER_S))
    try:
        async with counting.enforce():
            capacity = await call.service.cache.fetch(
                SEGMENT, client.view, lambda: read_capacity(client, deadline=counting), ttl=COUNTS_TTL_S
            )
    except TimeoutError:
        return Capacity(), f"nodes and pods: {_TOO_SLOW}"
    except BackendError as error:
        if error.code != "timeout":
            raise
        return Capacity(), f"nodes and pods: {_TOO_SLOW}"
    return capacity, ", ".join(capacity.missing)


async def _health(call: Call[KubernetesService], client: KubernetesClient, deadline: Deadline) -> _Row:
    version = await client.version(deadline)
    checks = await probe_checks(client, deadline=deadline)
    checks += await api_services(client, deadline=deadline)
    capacity, missing = await _capacity(call, client, deadline)
    if capacity.nodes is None:
        checks.append(Check("nodes", "not checked", missing))
    else:
        unready = capacity.nodes - capacity.ready
        checks.append(Check("nodes", "warning" if unready else "ok", f"{capacity.ready} of {capacity.nodes} ready"))
        checks.append(version_skew(version.git_version, capacity.kubelets))
    certificate = client_certificate(client.target.present_tls)
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


def _identity(client: KubernetesClient) -> str:
    """As whom the caller is there."""
    return "server" if client.identity is None else f"impersonates {client.identity.user}"


def _mode(effects: Sequence[str]) -> str:
    """What this server may do there for its caller."""
    return "read-only" if list(effects) == ["read"] else ",".join(effects)


_VIEWS: Final = {
    "summary": _View(
        _summary,
        (
            "NAME",
            "REACHABLE",
            "VERSION",
            "NODES",
            "PODS",
            "CPU REQ/ALLOC",
            "MEMORY REQ/ALLOC",
            "MODE",
            "IDENTITY",
            "FENCE",
        ),
        dead=("no",),
    ),
    "health": _View(_health, ("CLUSTER", "CHECK", "STATE", "DETAILS"), dead=("reachable", "failed")),
    "addons": _View(_addons, ("CLUSTER", "ADD-ON", "GROUPS", "KINDS", "LIST WITH"), dead=()),
}
