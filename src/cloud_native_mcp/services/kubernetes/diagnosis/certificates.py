"""Certificates that end, ended, or are missing: what the audit finds, as a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.kubernetes.auditing.certificates import certificates as audited
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, look_at, tool_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.services.kubernetes.auditing.finding import Finding as Audited
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

CODES: Final[Mapping[str, str]] = {
    "expired": "cert_expired",
    "ends_soon": "cert_expiring",
    "not_yet_valid": "cert_not_yet_valid",
    "unreadable": "cert_unreadable",
    "missing": "tls_secret_missing",
    "not_ready": "not_ready_custom",
}


async def certificates(survey: Survey) -> list[Finding]:
    """TLS Secrets by their end, Ingresses without theirs, and Certificates that are not ready."""
    # The area of custom kinds tells of Certificates itself.
    told = {"not_ready"} if "custom" in survey.areas else set[str]()
    return [_finding(one) for one in await audited(survey.reader) if one.rule not in told]


def _finding(one: Audited) -> Finding:
    kind, _, where = one.object.partition(" ")
    namespace, _, name = where.rpartition("/")
    ref = Ref(kind, namespace, name)
    evidence = "tls.crt" if kind == "Secret" else "spec.tls" if kind == "Ingress" else "status.conditions[Ready]"
    call = tool_call("list", kind="secrets", namespace=namespace) if one.rule == "missing" else look_at(ref)
    if kind == "Certificate":
        call = look_at(ref, kind="certificates.cert-manager.io")
    return Finding(one.severity, CODES[one.rule], ref, one.why, evidence, call)
