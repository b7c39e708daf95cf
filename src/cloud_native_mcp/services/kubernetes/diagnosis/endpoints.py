"""Services and their endpoints, as a diagnosis reads them.

Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.services.kubernetes.diagnosis.finding import Area
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

SERVICE_LABEL: Final = "kubernetes.io/service-name"


class ServicePort(msgspec.Struct, gc=False, rename="camel"):
    """A port of a Service; ``targetPort`` is a number or the name of a port of the pods."""

    name: str = ""
    port: int = 0
    target_port: int | str | None = None


class ServiceSpec(msgspec.Struct, gc=False):
    """What a Service leads to."""

    type: str = ""
    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None


class _Balancer(msgspec.Struct, gc=False):
    ingress: list[dict[str, object]] | None = None


class _ServiceStatus(msgspec.Struct, gc=False, rename="camel"):
    load_balancer: _Balancer = msgspec.field(default_factory=_Balancer)


class Service(msgspec.Struct, gc=False):
    """A Service."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: ServiceSpec = msgspec.field(default_factory=ServiceSpec)
    status: _ServiceStatus = msgspec.field(default_factory=_ServiceStatus)


class _EndpointConditions(msgspec.Struct, gc=False):
    ready: bool | None = None


class _Endpoint(msgspec.Struct, gc=False):
    conditions: _EndpointConditions = msgspec.field(default_factory=_EndpointConditions)


class EndpointSlice(msgspec.Struct, gc=False):
    """A part of the endpoints of a Service."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    endpoints: list[_Endpoint] | None = None


SERVICES: Final = Kind("", "Service", Service)
SLICES: Final = Kind("discovery.k8s.io", "EndpointSlice", EndpointSlice)


@dataclass(slots=True)
class Endpoints:
    """How many endpoints a Service has, and how many of them serve."""

    ready: int = 0
    total: int = 0


async def endpoints_by_service(survey: Survey, area: Area) -> Mapping[tuple[str, str], Endpoints] | None:
    """Endpoints by namespace and name of their Service; None when they may not be read."""
    slices = await survey.reader.either(SLICES, area)
    if slices is None:
        return None

    async def count() -> dict[tuple[str, str], Endpoints]:
        found: dict[tuple[str, str], Endpoints] = {}
        async for one in unhurried(slices):
            key = (one.metadata.namespace, one.metadata.labels.get(SERVICE_LABEL, ""))
            counted = found.setdefault(key, Endpoints())
            for endpoint in one.endpoints or ():
                counted.total += 1
                # An unknown state counts as ready, as the API says.
                counted.ready += endpoint.conditions.ready is not False
        return found

    return await survey.reader.once("endpoints", count)
