"""Nodes, pods, and what is allocatable and requested in a cluster."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages, metadata_page
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline

MOST_SUMMED: Final = 5_000
"""Pods whose requests are added up; in larger clusters the sum is not given."""
_HOLDING: Final = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
"""Pods that hold what they request: given to a node, and not ended."""


class _Condition(msgspec.Struct, gc=False):
    type: str = ""
    status: str = ""


class _NodeInfo(msgspec.Struct, gc=False, rename="camel"):
    kubelet_version: str = ""


class _NodeStatus(msgspec.Struct, gc=False, rename="camel"):
    allocatable: dict[str, str] = {}
    conditions: list[_Condition] = []
    node_info: _NodeInfo = msgspec.field(default_factory=_NodeInfo)


class _Node(msgspec.Struct, gc=False):
    status: _NodeStatus = msgspec.field(default_factory=_NodeStatus)


class _Resources(msgspec.Struct, gc=False):
    requests: dict[str, str | int | float] = {}


class _Container(msgspec.Struct, gc=False, rename="camel"):
    resources: _Resources = msgspec.field(default_factory=_Resources)
    restart_policy: str = ""


class _PodSpec(msgspec.Struct, gc=False, rename="camel"):
    containers: list[_Container] = []
    init_containers: list[_Container] = []


class _Pod(msgspec.Struct, gc=False):
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)


@dataclass(slots=True)
class Capacity:
    """Counts and sums of a cluster; None where it may not be read (``missing`` says why) or is too much to add up."""

    nodes: int | None = None
    ready: int = 0
    pods: int | None = None
    allocatable: dict[str, float] = field(default_factory=dict[str, float])
    requested: dict[str, float] | None = None
    kubelets: frozenset[str] = frozenset()
    missing: list[str] = field(default_factory=list[str])


async def read_capacity(client: KubernetesClient, *, deadline: Deadline) -> Capacity:
    """Read what the server's identity may see."""
    capacity = Capacity()
    for part in (_read_nodes, _read_pods):
        try:
            await part(client, capacity, deadline)
        except BackendError as error:
            if error.code not in {"forbidden", DENIED, "not_found", "unsupported"}:
                raise
            capacity.missing.append(f"{part.__name__.removeprefix('_read_')}: {error.code}")
    return capacity


async def _read_nodes(client: KubernetesClient, capacity: Capacity, deadline: Deadline) -> None:
    resource = await client.discovery.find("", "v1", "Node", deadline=deadline)
    if resource is None:
        return
    kubelets = set[str]()
    count = 0
    async for page in list_pages(client, resource, ListQuery(), item=_Node, deadline=deadline):
        for node in page.items:
            count += 1
            status = node.status
            capacity.ready += any(c.type == "Ready" and c.status == "True" for c in status.conditions)
            kubelets.add(status.node_info.kubelet_version)
            for name in ("cpu", "memory"):
                amount = parse_quantity(status.allocatable.get(name)) or 0.0
                capacity.allocatable[name] = capacity.allocatable.get(name, 0.0) + amount
        await asyncio.sleep(0)
    capacity.nodes, capacity.kubelets = count, frozenset(kubelets)


async def _read_pods(client: KubernetesClient, capacity: Capacity, deadline: Deadline) -> None:
    resource = await client.discovery.find("", "v1", "Pod", deadline=deadline)
    if resource is None:
        return
    first = await metadata_page(client, resource, ListQuery(limit=1, whole=True), deadline=deadline)
    capacity.pods = len(first.items) + (first.remaining or 0)
    if capacity.pods > MOST_SUMMED:
        return
    query = ListQuery(field_selector=_HOLDING, whole=True)
    requested = {"cpu": 0.0, "memory": 0.0}
    async for page in list_pages(client, resource, query, item=_Pod, deadline=deadline):
        for pod in page.items:
            for name in requested:
                requested[name] += _request(pod.spec, name)
        await asyncio.sleep(0)
    capacity.requested = requested


def _request(spec: _PodSpec, name: str) -> float:
    """What the scheduler counts: all containers and sidecars together, or the largest step of the start if more.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    sidecars = largest = 0.0
    for container in spec.init_containers:
        amount = parse_quantity(container.resources.requests.get(name)) or 0.0
        if container.restart_policy == "Always":
            sidecars += amount
        largest = max(largest, sidecars + (0.0 if container.restart_policy == "Always" else amount))
    running = sum(parse_quantity(container.resources.requests.get(name)) or 0.0 for container in spec.containers)
    return max(running + sidecars, largest)
