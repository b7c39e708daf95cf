"""Use by node, against what the node has to give and what its pods ask for.

Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity, show_cpu, show_memory, show_share
from cloud_native_mcp.services.kubernetes.resource_use.pods import pods_needs
from cloud_native_mcp.services.kubernetes.resource_use.rows import (
    IDLE_SHARE,
    LOW,
    NEAR,
    Amount,
    Row,
    View,
    share,
    total,
)
from cloud_native_mcp.services.kubernetes.resource_use.samples import samples_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.kubernetes.resource_use.pods import PodNeeds
    from cloud_native_mcp.services.kubernetes.resource_use.samples import Samples

SHOWS: Final = frozenset({"near_limit", "idle", "overprovisioned"})
_COLUMNS: Final = (
    "NODE",
    *(
        f"{resource}{column}"
        for resource in ("CPU", "MEM")
        for column in ("", " ALLOC", "/ALLOC", " REQ", " REQ/ALLOC")
    ),
    "PODS",
    "TROUBLE",
)


class _Condition(msgspec.Struct, gc=False):
    type: str = ""
    status: str = ""


class _Spec(msgspec.Struct, gc=False):
    unschedulable: bool = False


class _Status(msgspec.Struct, gc=False):
    allocatable: dict[str, object] | None = None
    conditions: list[_Condition] | None = None


class NodeRecord(msgspec.Struct, gc=False):
    """A node, as far as resources go."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)

    @property
    def name(self) -> str:
        """The node's name."""
        return self.metadata.name

    @property
    def allocatable(self) -> Amount:
        """What its pods may take in all."""
        given = self.status.allocatable or {}
        return Amount(parse_quantity(given.get("cpu")), parse_quantity(given.get("memory")))

    @property
    def pods_allowed(self) -> int | None:
        """How many pods it takes."""
        most = parse_quantity((self.status.allocatable or {}).get("pods"))
        return None if most is None else int(most)

    @property
    def trouble(self) -> str:
        """Not ready, under pressure, or cordoned."""
        found = [c.type for c in self.status.conditions or () if c.type.endswith("Pressure") and c.status != "False"]
        ready = next((c.status for c in self.status.conditions or () if c.type == "Ready"), "")
        return ", ".join(
            [
                *(["NotReady"] if ready != "True" else []),
                *found,
                *(["cordoned"] if self.spec.unschedulable else []),
            ]
        )


async def node_records(client: KubernetesClient, selector: str, *, deadline: Deadline) -> list[NodeRecord]:
    """Nodes by label selector.

    Raises:
        ToolError: ``unsupported``, when the cluster serves no nodes; ``forbidden``, …
    """
    resource = await client.discovery.find("", "v1", "Node", deadline=deadline)
    if resource is None:
        raise ToolError("unsupported", f"cluster {client.name} serves no nodes")
    query = ListQuery(label_selector=selector)
    pages = list_pages(client, resource, query, item=NodeRecord, deadline=deadline)
    return [node async for page in pages for node in page.items]


async def nodes_view(client: KubernetesClient, selector: str, *, deadline: Deadline) -> View:
    """A row for each node."""
    nodes = await node_records(client, selector, deadline=deadline)
    samples = await samples_of(client, "NodeMetrics", ListQuery(label_selector=selector), deadline=deadline)
    partial = [samples.failed] if samples.failed else []
    pods: dict[str, list[PodNeeds]] = {node.name: [] for node in nodes}
    try:
        for pod in await pods_needs(client, ListQuery(whole=True), deadline=deadline):
            if pod.node in pods:
                pods[pod.node].append(pod)
    except ToolError as error:
        partial.append(f"pods: {error.code}: {error.text}; requests and pods are missing")
        pods = {}
    rows = [_row(node, samples, pods.get(node.name) if pods else None) for node in nodes]
    return View(_COLUMNS, rows, ("memory", "cpu", "cpu_ratio", "memory_ratio"), SHOWS, _notes(nodes, samples), partial)


def _row(node: NodeRecord, samples: Samples, pods: Sequence[PodNeeds] | None) -> Row:
    use = samples.total.get(("", node.name), Amount())
    request = total(pod.request for pod in pods or ())
    whole = node.allocatable
    cells: list[Cell] = [node.name]
    for index, show in ((0, show_cpu), (1, show_memory)):
        used, given, asked = use[index], whole[index], request[index]
        cells += [show(used), show(given), show_share(used, given), show(asked), show_share(asked, given)]
    count = "-" if pods is None else str(len(pods))
    cells += [f"{count}/{node.pods_allowed or '-'}", node.trouble]
    order = {
        "cpu": use.cpu,
        "memory": use.memory,
        "cpu_ratio": share(use.cpu, whole.cpu),
        "memory_ratio": share(use.memory, whole.memory),
    }
    return Row(node.name, lambda: cells, order, _fits(use, request, whole))


def _fits(use: Amount, request: Amount, whole: Amount) -> frozenset[str]:
    """Near its end by use or by requests; idle by CPU; requested for much more than is used."""
    fits: set[str] = set()
    shares = [share(part, of) for amount in (use, request) for part, of in zip(amount, whole, strict=True)]
    if any(found is not None and found >= NEAR for found in shares):
        fits.add("near_limit")
    if (found := share(use.cpu, whole.cpu)) is not None and found < IDLE_SHARE:
        fits.add("idle")
    pairs = zip(use, request, strict=True)
    if any((found := share(used, asked)) is not None and found < LOW for used, asked in pairs):
        fits.add("overprovisioned")
    return frozenset(fits)


def _notes(nodes: Sequence[NodeRecord], samples: Samples) -> list[str]:
    use = total(samples.total.get(("", node.name), Amount()) for node in nodes)
    whole = total(node.allocatable for node in nodes)
    sums = (
        f"sum of {len(nodes)} nodes: CPU {show_cpu(use.cpu)} of {show_cpu(whole.cpu)} allocatable, "
        f"memory {show_memory(use.memory)} of {show_memory(whole.memory)}"
    )
    return [sums, *filter(None, (samples.about,))]
