"""Pods measured against the Baseline and Restricted standards, and against the level their namespace enforces.

Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.meta import PartialObject
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding
from cloud_native_mcp.services.kubernetes.auditing.standards import BASELINE, RESTRICTED, violations
from cloud_native_mcp.services.kubernetes.auditing.workloads import workloads
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_native_mcp.services.kubernetes.auditing.workloads import Workload
    from cloud_native_mcp.services.kubernetes.reading import Reader
    from cloud_native_mcp.services.kubernetes.severity import Severity

ENFORCE: Final = "pod-security.kubernetes.io/enforce"
NAMESPACES: Final = Kind("", "Namespace", PartialObject)
_NONE: Final = "no level"
_UNKNOWN: Final = "an unknown level"


async def pod_security(reader: Reader) -> list[Finding]:
    """What workloads break of the standards, and namespaces with workloads that enforce nothing."""
    found: list[Finding] = []
    running = await workloads(reader)
    levels = {
        one.metadata.name: one.metadata.labels.get(ENFORCE, _NONE)
        for one in await reader.optional(NAMESPACES, "pod_security")
    }
    async for workload in unhurried(running):
        found += _of_workload(workload, levels.get(workload.namespace, _UNKNOWN))
    for namespace in sorted({workload.namespace for workload in running}):
        if levels.get(namespace) in {_NONE, "privileged"}:
            why = f"the namespace enforces {levels[namespace]}: any pod is let in"
            fix = f"label it {ENFORCE}=baseline or restricted"
            found.append(Finding("warning", "pod_security", "enforced_level", f"Namespace {namespace}", why, fix))
    return found


def _of_workload(workload: Workload, level: str) -> Iterator[Finding]:
    """A row for each control of Baseline that is broken, and one for all of Restricted."""
    told = f"; the namespace enforces {level}"
    for control, words in violations(workload.template, BASELINE):
        refused = level in {"baseline", "restricted"}
        severity: Severity = "critical" if control.grave or refused else "warning"
        why = f"Baseline: {', '.join(words)}{told}" + (": its new pods are refused" if refused else "")
        yield Finding(severity, "pod_security", control.rule, workload.object, why, control.fix)
    broken = list(violations(workload.template, RESTRICTED))
    if broken:
        refused = level == "restricted"
        words = [word for _, found in broken for word in found]
        why = f"Restricted: {', '.join(words)}{told}" + (": its new pods are refused" if refused else "")
        severity = "critical" if refused else "info"
        fix = "; ".join(control.fix for control, _ in broken)
        yield Finding(severity, "pod_security", "restricted", workload.object, why, fix)
