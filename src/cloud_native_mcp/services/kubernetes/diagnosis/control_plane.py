"""The API itself: failed health checks, aggregated APIs and webhooks whose servers do not answer.

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.services.kubernetes.clusters.health import probe_checks
from cloud_native_mcp.services.kubernetes.diagnosis.endpoints import Endpoints, endpoints_by_service
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, look_at, tool_call
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Conditioned, condition
from cloud_native_mcp.services.kubernetes.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

EVERYTHING: Final = 1_000_000
"""The blast radius of what concerns every caller of the cluster."""
API_SERVICES: Final = Kind("apiregistration.k8s.io", "APIService", Conditioned)


class _Service(msgspec.Struct, gc=False):
    namespace: str = ""
    name: str = ""


class _Client(msgspec.Struct, gc=False):
    service: _Service | None = None


class _Webhook(msgspec.Struct, gc=False, rename="camel"):
    name: str = ""
    failure_policy: str = "Fail"
    client_config: _Client = msgspec.field(default_factory=_Client)


class Hooks(msgspec.Struct, gc=False):
    """A ValidatingWebhookConfiguration or MutatingWebhookConfiguration."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    webhooks: list[_Webhook] | None = None


HOOKS: Final = tuple(
    Kind("admissionregistration.k8s.io", kind, Hooks)
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
)


async def control_plane(survey: Survey) -> list[Finding]:
    """What keeps the API from serving, wholly or in part."""
    found: list[Finding] = []
    for check in await probe_checks(survey.reader.client, deadline=survey.reader.deadline):
        ref = Ref("APIServer", "", check.name)
        if check.state == "failed":
            call = tool_call("list", kind="nodes")
            found.append(
                Finding("critical", "api_unhealthy", ref, "health checks fail", check.details, call, blast=EVERYTHING)
            )
        elif check.state == "not checked":
            survey.reader.gaps.append(f"control_plane: in part: {check.name}: {check.details}")
    for service in await survey.reader.optional(API_SERVICES, "control_plane"):
        found += api_service_findings(service)
    endpoints = await endpoints_by_service(survey, "control_plane")
    for kind in HOOKS:
        for one in await survey.reader.optional(kind, "control_plane"):
            if endpoints is not None:
                found += _of_hooks(kind.kind, one, endpoints)
    return found


def api_service_findings(service: Conditioned) -> Iterator[Finding]:
    """An aggregated API whose server does not answer."""
    available = condition(service.status.conditions, "Available")
    if available.status not in {"", "True"}:
        ref = Ref("APIService", "", service.metadata.name)
        cause = "the server behind this API does not answer; discovery and namespace deletion suffer too"
        evidence = f"status.conditions[Available]: {available.reason}: {available.message}"
        yield Finding("critical", "apiservice_down", ref, cause, evidence, look_at(ref), available.since, EVERYTHING)


def _of_hooks(kind: str, hooks: Hooks, endpoints: Mapping[tuple[str, str], Endpoints]) -> Iterator[Finding]:
    ref = Ref(kind, "", hooks.metadata.name)
    for hook in hooks.webhooks or ():
        service = hook.client_config.service
        if service is None or endpoints.get((service.namespace, service.name), Endpoints()).ready:
            continue
        strict = hook.failure_policy == "Fail"
        effect = "requests that it must see are refused" if strict else "requests pass unseen"
        cause = f"webhook {hook.name}: Service {service.namespace}/{service.name} has no ready endpoint, so {effect}"
        evidence = f"webhooks[{hook.name}].failurePolicy: {hook.failure_policy}"
        call = look_at(ref)
        severity = "critical" if strict else "warning"
        yield Finding(severity, "webhook_down", ref, cause, evidence, call, blast=EVERYTHING if strict else 1)
