"""Which port, and for a forward of which pod, a caller means.

API: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/ and
https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.contract.json_values import as_int, as_list, as_str, dig
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

NO_ENDPOINTS: Final = "no_endpoints"
_SERVICE_LABEL: Final = "kubernetes.io/service-name"


class _SlicePort(msgspec.Struct, gc=False):
    name: str | None = None
    port: int | None = None


class _Reference(msgspec.Struct, gc=False):
    kind: str = ""
    name: str = ""


class _Conditions(msgspec.Struct, gc=False):
    ready: bool | None = None


class _Endpoint(msgspec.Struct, gc=False, rename="camel"):
    conditions: _Conditions = msgspec.field(default_factory=_Conditions)
    target_ref: _Reference | None = None


class _Slice(msgspec.Struct, gc=False):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    endpoints: list[_Endpoint] | None = None
    ports: list[_SlicePort] | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A port as its object declares it."""

    number: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.number} ({self.name})" if self.name else str(self.number)


@dataclass(frozen=True, slots=True)
class PodPort:
    """Where a forward leads."""

    pod: str
    port: int


async def core_kind(client: KubernetesClient, kind: str, deadline: Deadline) -> Resource:
    """Pods or Services of this cluster.

    Raises:
        BackendError: ``unsupported`` where they are not served.
    """
    resource = await client.discovery.find("", "v1", kind, deadline=deadline)
    if resource is None:
        raise BackendError("unsupported", f"cluster {client.name} serves no {kind}")
    return resource


async def find_port(
    client: KubernetesClient, kind: str, name: str, port: str, *, namespace: str, deadline: Deadline
) -> Port:
    """The port of a pod or Service.

    Args:
        kind: ``pod`` or ``service``.
        port: number, name, or empty for the only one.

    Raises:
        BackendError: ``not_found`` with near names, ``forbidden``, …
        InvalidArgument: there is no such port, or several and none is named.
    """
    resource = await core_kind(client, kind.capitalize(), deadline)
    obj = await get_object(client, resource, name, namespace=namespace, deadline=deadline)
    declared = service_ports(obj) if kind == "service" else pod_ports(obj)
    there = ", ".join(map(str, declared)) or "none"
    if not port:
        if len(declared) == 1:
            return declared[0]
        raise InvalidArgument("port", f"name one; {kind} {name} declares {there}")
    if port.isdecimal():
        number = int(port)
        found = next((one for one in declared if one.number == number), None)
        if found is None and kind == "service":
            raise InvalidArgument("port", f"service {name} has no port {number}; it declares {there}")
        if not 0 < number < 65_536:
            raise InvalidArgument("port", "is 1 to 65535, or the name of a port")
        return found or Port(number)  # a pod may listen on ports it does not declare
    found = next((one for one in declared if one.name == port), None)
    if found is None:
        raise InvalidArgument("port", f"{kind} {name} has no port called {port[:60]!a}; it declares {there}")
    return found


async def find_pod_port(
    client: KubernetesClient, kind: str, name: str, port: str, *, namespace: str, deadline: Deadline
) -> PodPort:
    """The pod and the port of it that a forward leads to; of a Service its first ready pod.

    Raises:
        ToolError: ``no_endpoints``; otherwise as `find_port`.
    """
    declared = await find_port(client, kind, name, port, namespace=namespace, deadline=deadline)
    if kind == "pod":
        return PodPort(name, declared.number)
    found = await _first_ready(client, name, declared, namespace=namespace, deadline=deadline)
    if found is None:
        text = f"service {name} in namespace {namespace} has no ready pod at port {declared}"
        raise ToolError(NO_ENDPOINTS, f"{text}; kubernetes_diagnose kind=service tells why", kind="final")
    return found


def service_ports(service: Mapping[str, object]) -> list[Port]:
    """The ports a Service declares."""
    return _ports(as_list(dig(service, "spec", "ports")), "port")


def pod_ports(pod: Mapping[str, object]) -> list[Port]:
    """The ports the containers of a pod declare, TCP only."""
    containers = [*as_list(dig(pod, "spec", "containers")), *as_list(dig(pod, "spec", "initContainers"))]
    declared = [port for container in containers for port in as_list(dig(container, "ports"))]
    return _ports([port for port in declared if as_str(dig(port, "protocol"), "TCP") == "TCP"], "containerPort")


def _ports(declared: Sequence[object], field: str) -> list[Port]:
    return [Port(as_int(dig(one, field)), as_str(dig(one, "name"))) for one in declared]


async def _first_ready(
    client: KubernetesClient, service: str, port: Port, *, namespace: str, deadline: Deadline
) -> PodPort | None:
    """Endpoints tell the number that a named target port has in their pods."""
    slices = await client.discovery.find("discovery.k8s.io", "v1", "EndpointSlice", deadline=deadline)
    if slices is None:
        raise BackendError("unsupported", f"cluster {client.name} serves no EndpointSlices (discovery.k8s.io/v1)")
    query = ListQuery(namespace, label_selector=f"{_SERVICE_LABEL}={service}")
    async for page in list_pages(client, slices, query, item=_Slice, deadline=deadline):
        for one in page.items:
            number = next((each.port for each in one.ports or () if (each.name or "") == port.name), None)
            for endpoint in one.endpoints or () if number else ():
                target = endpoint.target_ref
                # an unknown state counts as ready, as the API says
                if endpoint.conditions.ready is not False and target is not None and target.kind == "Pod" and number:
                    return PodPort(target.name, number)
    return None
