"""ConfigMaps, Secrets, claims and accounts that an object's pods need, and that do not exist."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import Controller, Template
from cloud_native_mcp.services.kubernetes.auditing.references import Reference, references
from cloud_native_mcp.services.kubernetes.auditing.workloads import Workload
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, tool_call
from cloud_native_mcp.services.kubernetes.reading import FATAL, PARALLEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.services.kubernetes.diagnosis.finding import Ref
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

MOST: Final = 40
_ACCOUNT: Final = "ServiceAccount"
_WITH_TEMPLATE: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})


async def missing_references(survey: Survey, resource: Resource, obj: Mapping[str, object], ref: Ref) -> list[Finding]:
    """What the pods of a workload name and is not there; by metadata alone, so that no value is read."""
    template = _template(resource, obj)
    if template is None:
        return []
    workload = Workload(ref.kind, ref.namespace, ref.name, template)
    named = dict.fromkeys(one for one in references(workload) if one.name)
    named[Reference(_ACCOUNT, template.spec.service_account_name or "default", how="account")] = None
    wanted = list(named)
    if len(wanted) > MOST:
        survey.reader.notes.append(f"{MOST} of {len(wanted)} referenced objects were looked for")
    seats = asyncio.Semaphore(PARALLEL)

    async def look(one: Reference) -> bool:
        async with seats:
            return await _there(survey, one, ref.namespace)

    there = await together(*(look(one) for one in wanted[:MOST]))
    return [_finding(ref, one) for one, found in zip(wanted, there, strict=False) if not found]


def _template(resource: Resource, obj: Mapping[str, object]) -> Template | None:
    try:
        if (resource.group, resource.kind) == ("", "Pod"):
            return msgspec.convert(obj, Template)
        return msgspec.convert(obj, Controller).template if resource.kind in _WITH_TEMPLATE else None
    except msgspec.ValidationError:
        return None


async def _there(survey: Survey, one: Reference, namespace: str) -> bool:
    """Whether it exists; what may not be read counts as there, and is told as a gap."""
    reader = survey.reader
    resource = await reader.client.discovery.find("", "v1", one.kind, deadline=reader.deadline)
    if resource is None:
        return True
    try:
        await reader.client.metadata(resource, one.name, namespace=namespace, deadline=reader.deadline)
    except ToolError as error:
        if error.code in FATAL:
            raise
        if error.code == "not_found":
            return False
        reader.gap("pods", error)
    return True


def _finding(ref: Ref, one: Reference) -> Finding:
    plural = f"{one.kind.lower()}s"
    call = tool_call("list", kind=plural, namespace=ref.namespace)
    if one.kind == "PersistentVolumeClaim":
        return Finding("critical", "pvc_missing", ref, f"claim {one.name} that it mounts does not exist", "spec", call)
    cause = f"{one.kind} {one.name} that it names ({one.how}) does not exist"
    # Without a pull secret an image may still come; what is optional is left out without a word.
    severity = "critical" if one.needed else "warning" if one.how == "pull" else "info"
    return Finding(severity, "config_missing", ref, cause, "spec", call)
