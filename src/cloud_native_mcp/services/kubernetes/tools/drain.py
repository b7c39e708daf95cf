"""``kubernetes_drain``: take a node out of service.

API: https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages
from cloud_native_mcp.backends.kubernetes.names import check_name
from cloud_native_mcp.backends.kubernetes.selectors import check_label_selector
from cloud_native_mcp.contract.confirmation import Plan
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Budget, Result, Table
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.draining.execution import Drain
from cloud_native_mcp.services.kubernetes.draining.sorting import Leave, label_of, sort_pods
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.draining.sorting import Sorted
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

MOST_PODS: Final = 500
_SHOWN: Final = 10


class DrainArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_drain``."""

    name: Annotated[str, Meta(description="Node name")]
    ignore_daemonsets: Annotated[bool, Meta(description="Leave DaemonSet pods")] = True
    delete_emptydir_data: Annotated[bool, Meta(description="Allow pods with emptyDir data")] = False
    force: Annotated[bool, Meta(description="Also pods without a controller")] = False
    pod_selector: Annotated[str, Meta(description="Only these pods")] | UnsetType = UNSET
    grace_period_seconds: Annotated[int, Meta(ge=0, le=3_600, description="Override the pods' own")] | UnsetType = UNSET
    timeout_seconds: Annotated[int, Meta(ge=5, le=600, description="Answer after this long")] = 120
    confirm: (
        Annotated[str, Meta(description="Code from the plan that a call without it answers; acts only with it")]
        | UnsetType
    ) = UNSET


@dataclass(frozen=True, slots=True)
class _Node:
    """The node as it was read, the kinds, and the selection of its pods."""

    object: dict[str, object]
    nodes: Resource
    pods: Resource
    query: ListQuery

    @property
    def cordoned(self) -> bool:
        return dig(self.object, "spec", "unschedulable") is True


@tool(
    "drain",
    args=DrainArgs,
    effect=Effect.DESTROY,
    toolset="extended",
    timeout="long",
    waits="timeout_seconds",
    untrusted=True,
    budget=Budget(usual=12_000, cap=40_000),
    description=(
        "Drain a node: cordon it, then evict its pods honouring disruption budgets, with progress. Calling again "
        "continues; undo with kubernetes_action uncordon."
    ),
    own_errors={"needs_flag": "pods of the node need an argument before they may go; nothing was evicted"},
)
async def drain(call: Call[KubernetesService], args: DrainArgs) -> Result:
    """Show which pods would go and what blocks them; with the plan's code, cordon the node and evict exactly those."""
    check_name(args.name)
    client = call.service.client(call.target)
    client.policy.require("drain_nodes", f"draining node {args.name}")
    node = await _node(call, client, args)
    found = await _sorted(call, client, args, node)
    work = Drain(
        client,
        node.pods,
        found.evicted,
        grace_period_seconds=None if args.grace_period_seconds is UNSET else args.grace_period_seconds,
        deadline=call.deadline,
        progress=call.progress,
    )
    pending = call.confirm(await _plan(client, args, node, found, work), args.confirm)
    if pending is not None:
        return pending
    if not node.cordoned:
        cordon = {"spec": {"unschedulable": True}}
        await writes.patch(client, node.nodes, args.name, cordon, kind="merge", deadline=call.deadline)
    await work.run(node.query, seconds=args.timeout_seconds)
    return _outcome(client, args, found, work)


TOOLS = (drain,)


async def _node(call: Call[KubernetesService], client: KubernetesClient, args: DrainArgs) -> _Node:
    nodes = await client.discovery.resolve("nodes", deadline=call.deadline)
    pods = await client.discovery.resolve("pods", deadline=call.deadline)
    obj = await get_object(client, nodes, args.name, namespace=None, deadline=call.deadline)
    query = ListQuery(
        label_selector=check_label_selector(args.pod_selector, field="pod_selector") if args.pod_selector else "",
        field_selector=f"spec.nodeName={args.name}",
        whole=True,  # a node that still holds pods of other namespaces is not drained
    )
    return _Node(obj, nodes, pods, query)


async def _sorted(call: Call[KubernetesService], client: KubernetesClient, args: DrainArgs, node: _Node) -> Sorted:
    """The node's pods, none of which lacks an argument or is out of bounds.

    Raises:
        ToolError: ``needs_flag``; ``denied_by_policy`` for pods in the namespaces of Kubernetes itself.
    """
    listed: list[dict[str, object]] = []
    pages = list_pages(client, node.pods, node.query, item=dict[str, object], deadline=call.deadline)
    async for page in pages:
        listed += page.items
        if len(listed) > MOST_PODS:
            raise InvalidArgument("pod_selector", f"{args.name} has more than {MOST_PODS} pods; choose some of them")
    leave = Leave(daemonsets=args.ignore_daemonsets, emptydir=args.delete_emptydir_data, unmanaged=args.force)
    found = sort_pods(listed, leave)
    if found.needed:
        needs = "; ".join(f"{name}: {_names(labels)}" for name, labels in found.needed.items())
        raise ToolError("needs_flag", f"pods of {args.name} need an argument before they may go: {needs}")
    for pod in found.evicted:
        client.policy.check_namespace(pod.namespace)
    return found


def _names(labels: list[str]) -> str:
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return f"{', '.join(labels[:_SHOWN])}{more}"


async def _plan(client: KubernetesClient, args: DrainArgs, node: _Node, found: Sorted, work: Drain) -> Plan:
    held = dict(await work.preview()) if args.confirm is UNSET else {}
    rows = [(label_of(pod), held.get(label_of(pod), "would be evicted")) for pod in found.evicted] + found.skipped
    notes = ["the node is cordoned already" if node.cordoned else "the node would be cordoned first"]
    if held:
        notes.append(f"{len(held)} of them are held now; a drain waits for budgets until timeout_seconds")
    return Plan(
        f"would evict {number_of(len(found.evicted), 'pod', of=len(rows))} of node {args.name} on {client.name}",
        [Table(("POD", "PLAN"), rows, untrusted=True, source="pods")],
        [f"node {as_str(dig(node.object, 'metadata', 'uid'))}", *(pod.uid for pod in found.evicted)],
        notes,
    )


def _outcome(client: KubernetesClient, args: DrainArgs, found: Sorted, work: Drain) -> Result:
    rows = [*work.outcomes.items(), *found.skipped]
    total = len(work.outcomes)
    done = f"drained node {args.name}" if not work.remaining else f"node {args.name} is not drained yet"
    notes = ["the node stays cordoned; undo with kubernetes_action uncordon"]
    if work.remaining:
        notes.append("call again to go on: blocked pods go once their budget allows it")
    if work.unwatched:
        notes.append(f"the end of the pods could not be followed: {work.unwatched}")
    return Result(
        header=f"{done}: {number_of(total - work.remaining, 'pod', of=total)} gone on {client.name}",
        blocks=[Table(("POD", "OUTCOME"), rows, untrusted=True, source="pods")],
        notes=notes,
    )
