"""What pods ask for and may use: containers, init containers, sidecars, the pod as a whole, and resizes in place.

Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/,
https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity
from cloud_native_mcp.services.kubernetes.resource_use.rows import Amount, plus
from cloud_native_mcp.services.kubernetes.workloads import pod_resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.meta import OwnerReference
    from cloud_native_mcp.contract.deadline import Deadline

ACTIVE: Final = "status.phase!=Succeeded,status.phase!=Failed"
"""Finished pods use and reserve nothing."""
Side = Literal["requests", "limits"]
_SIDECAR: Final = "Always"


class _Resources(msgspec.Struct, gc=False):
    requests: dict[str, object] | None = None
    limits: dict[str, object] | None = None

    def stated(self, side: Side, resource: str) -> float | None:
        """What is stated, as a number."""
        values = self.requests if side == "requests" else self.limits
        return parse_quantity(values.get(resource)) if values else None


class _Container(msgspec.Struct, gc=False, rename="camel"):
    name: str = ""
    resources: _Resources | None = None
    restart_policy: str | None = None


class _Claim(msgspec.Struct, gc=False, rename="camel"):
    claim_name: str = ""


class _Volume(msgspec.Struct, gc=False, rename="camel"):
    name: str = ""
    persistent_volume_claim: _Claim | None = None
    ephemeral: dict[str, object] | None = None


class _Spec(msgspec.Struct, gc=False, rename="camel"):
    node_name: str = ""
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    volumes: list[_Volume] | None = None
    resources: _Resources | None = None
    overhead: dict[str, object] | None = None


class _ContainerStatus(msgspec.Struct, gc=False, rename="camel"):
    name: str = ""
    restart_count: int = 0
    resources: _Resources | None = None
    allocated_resources: dict[str, object] | None = None


class _Status(msgspec.Struct, gc=False, rename="camel"):
    container_statuses: list[_ContainerStatus] | None = None
    init_container_statuses: list[_ContainerStatus] | None = None
    resources: _Resources | None = None
    allocated_resources: dict[str, object] | None = None


Statuses = dict[str, _ContainerStatus]


class PodRecord(msgspec.Struct, gc=False):
    """A pod, as far as resources go."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


@dataclass(frozen=True, slots=True)
class ContainerNeeds:
    """A container that runs as long as its pod does."""

    name: str
    request: Amount
    limit: Amount
    restarts: int


@dataclass(frozen=True, slots=True)
class PodNeeds:
    """What a pod asks for and may use.

    Attributes:
        owner: its controller.
        claims: names of the volume claims it mounts.
        as_a_whole: requests are stated for the pod, not only for its containers.
    """

    namespace: str
    name: str
    node: str
    owner: OwnerReference | None
    request: Amount
    limit: Amount
    containers: Sequence[ContainerNeeds]
    claims: Sequence[str]
    as_a_whole: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return (self.namespace, self.name)

    @property
    def restarts(self) -> int:
        """Restarts of all its containers."""
        return sum(container.restarts for container in self.containers)

    @property
    def lacks_requests(self) -> bool:
        """Whether CPU or memory is not asked for: by the pod as a whole, nor by each of its containers."""
        if self.request.cpu is None or self.request.memory is None:
            return True
        return not self.as_a_whole and any(None in container.request for container in self.containers)


async def pods_needs(client: KubernetesClient, query: ListQuery, *, deadline: Deadline) -> list[PodNeeds]:
    """All pods of the query that are not finished."""
    resource = await pod_resource(client, deadline)
    selector = ",".join(filter(None, (ACTIVE, query.field_selector)))
    wanted = replace(query, field_selector=selector)
    found: list[PodNeeds] = []
    async for page in list_pages(client, resource, wanted, item=PodRecord, deadline=deadline):
        found += [needs_of(pod) for pod in page.items]
        await asyncio.sleep(0)
    return found


def needs_of(pod: PodRecord) -> PodNeeds:
    """The sums of a pod, as the scheduler counts them."""
    statuses = {
        s.name: s for s in (*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ()))
    }
    lasting = [*(pod.spec.containers or ()), *(c for c in pod.spec.init_containers or () if is_sidecar(c))]
    return PodNeeds(
        namespace=pod.metadata.namespace,
        name=pod.metadata.name,
        node=pod.spec.node_name,
        owner=pod.metadata.controller,
        request=Amount(_sum(pod, statuses, "requests", "cpu"), _sum(pod, statuses, "requests", "memory")),
        limit=Amount(_sum(pod, statuses, "limits", "cpu"), _sum(pod, statuses, "limits", "memory")),
        containers=[_container(container, statuses.get(container.name)) for container in lasting],
        claims=_claims(pod),
        as_a_whole=pod.spec.resources is not None and bool(pod.spec.resources.requests),
    )


def is_sidecar(container: _Container) -> bool:
    """Whether an init container runs as long as the pod."""
    return container.restart_policy == _SIDECAR


def _container(container: _Container, status: _ContainerStatus | None) -> ContainerNeeds:
    request, limit = (
        Amount(_stated(container, status, side, "cpu"), _stated(container, status, side, "memory"))
        for side in ("requests", "limits")
    )
    return ContainerNeeds(container.name, request, limit, status.restart_count if status else 0)


def _sum(pod: PodRecord, statuses: Statuses, side: Side, resource: str) -> float | None:
    """Ordinary containers and sidecars together, or what starting takes when that is more; the pod's own value wins."""
    spec, status = pod.spec, pod.status
    whole = _larger(
        spec.resources.stated(side, resource) if spec.resources else None,
        status.resources.stated(side, resource) if status.resources else None,
    )
    if whole is None:
        whole = _of_containers(pod, statuses, side, resource)
    overhead = parse_quantity((spec.overhead or {}).get(resource))
    return whole if overhead is None or (side == "limits" and whole is None) else plus(whole, overhead)


def _of_containers(pod: PodRecord, statuses: Statuses, side: Side, resource: str) -> float | None:
    sidecars: float | None = None
    starting: float | None = None
    for container in pod.spec.init_containers or ():
        value = _stated(container, statuses.get(container.name), side, resource)
        if is_sidecar(container):
            if value is None and side == "limits":
                return None
            sidecars = plus(sidecars, value)
            starting = _larger(starting, sidecars)
        else:
            starting = _larger(starting, plus(sidecars, value))
    values = [_stated(c, statuses.get(c.name), side, resource) for c in pod.spec.containers or ()]
    if side == "limits" and None in values:
        return None
    running = sidecars
    for value in values:
        running = plus(running, value)
    return _larger(running, starting)


def _stated(container: _Container, status: _ContainerStatus | None, side: Side, resource: str) -> float | None:
    """What the specification says, or what a resize in place has not yet given back, when that is more."""
    wanted = container.resources.stated(side, resource) if container.resources else None
    if status is None:
        return wanted
    given = status.resources.stated(side, resource) if status.resources else None
    if side == "requests" and status.allocated_resources:
        given = _larger(given, parse_quantity(status.allocated_resources.get(resource)))
    return _larger(wanted, given)


def _larger(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)


def _claims(pod: PodRecord) -> list[str]:
    claims: list[str] = []
    for volume in pod.spec.volumes or ():
        if volume.persistent_volume_claim is not None:
            claims.append(volume.persistent_volume_claim.claim_name)
        elif volume.ephemeral is not None:
            claims.append(f"{pod.metadata.name}-{volume.name}")
    return claims
