"""Ingresses whose Services or ports are missing.

Source: https://kubernetes.io/docs/concepts/services-networking/ingress/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.services.kubernetes.auditing.ingresses import INGRESSES
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, look_at, tool_call
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.auditing.ingresses import Ingress
    from cloud_native_mcp.services.kubernetes.diagnosis.endpoints import Service
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey


async def ingress_findings(survey: Survey, services: Sequence[Service]) -> list[Finding]:
    """Backends of Ingresses that do not exist, and ports that their Services do not have."""
    known = {(one.metadata.namespace, one.metadata.name): one for one in services}
    found: list[Finding] = []
    async for ingress in unhurried(await survey.reader.optional(INGRESSES, "network")):
        found += _of_ingress(ingress, known)
    return found


def _of_ingress(ingress: Ingress, known: Mapping[tuple[str, str], Service]) -> Iterator[Finding]:
    ref = Ref("Ingress", ingress.metadata.namespace, ingress.metadata.name)
    for where, backend in ingress.backends:
        service = known.get((ref.namespace, backend.name))
        if service is None:
            cause = f"Service {backend.name} that it leads to does not exist"
            call = tool_call("list", kind="services", namespace=ref.namespace)
            yield Finding("critical", "ingress_backend_missing", ref, cause, f"rule {where}", call)
            continue
        ports = service.spec.ports or ()
        wanted = backend.port.name or backend.port.number
        if wanted and wanted not in {port.name for port in ports} | {port.port for port in ports}:
            shown = ", ".join(f"{port.port}{f' ({port.name})' if port.name else ''}" for port in ports)
            cause = f"Service {backend.name} has no port {wanted}"
            evidence = f"rule {where}; its ports: {shown or '-'}"
            service_ref = Ref("Service", ref.namespace, backend.name)
            yield Finding("critical", "port_mismatch", ref, cause, evidence, look_at(service_ref))
