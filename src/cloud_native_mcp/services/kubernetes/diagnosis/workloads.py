"""Deployments, StatefulSets and DaemonSets that lack pods or do not get on.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, diagnose, look_at, tool_call
from cloud_native_mcp.services.kubernetes.diagnosis.pods import CONSEQUENCES, SETTLING
from cloud_native_mcp.services.kubernetes.diagnosis.refusals import refused
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Condition, condition, moment
from cloud_native_mcp.services.kubernetes.diagnosis.survey import event_text
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
    from cloud_native_mcp.services.kubernetes.event_records import EventRecord


class _Template(msgspec.Struct, gc=False):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class _Spec(msgspec.Struct, gc=False, rename="camel"):
    replicas: int | None = None
    paused: bool = False
    selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    template: _Template = msgspec.field(default_factory=_Template)


class _Status(msgspec.Struct, gc=False, rename="camel"):
    observed_generation: int = 0
    available_replicas: int = 0
    ready_replicas: int = 0
    desired_number_scheduled: int = 0
    number_available: int = 0
    conditions: list[Condition] | None = None


class Workload(msgspec.Struct, gc=False):
    """A controller of pods that are to run all the time."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its pods."""
        return self.spec.template.metadata.labels


KINDS: Final = tuple(Kind("apps", kind, Workload) for kind in ("Deployment", "StatefulSet", "DaemonSet"))


async def workloads(survey: Survey) -> list[Finding]:
    """What is wrong with each workload, as far as it is not told by its pods.

    Raises:
        ToolError: none of the kinds can be read.
    """
    found: list[Finding] = []
    events = await survey.events("workloads")
    for kind, objects in await survey.reader.any_of(KINDS, "workloads"):
        async for one in unhurried(objects):
            ref = Ref(kind, one.metadata.namespace, one.metadata.name)
            found += _of_workload(ref, one, survey, events.get(one.metadata.uid, ()))
    return found


def create_denied(ref: Ref, message: str, evidence: str, since: datetime | None, blast: int) -> Finding:
    """The API refuses the pods of a workload."""
    words, next_call = refused(message, ref.namespace)
    return Finding("critical", "create_denied", ref, words, evidence, next_call, since, blast, implies=CONSEQUENCES)


def _of_workload(ref: Ref, one: Workload, survey: Survey, events: Sequence[EventRecord]) -> Iterator[Finding]:
    daemon = ref.kind == "DaemonSet"
    status = one.status
    wanted = status.desired_number_scheduled if daemon else one.spec.replicas if one.spec.replicas is not None else 1
    there = status.number_available if daemon else status.available_replicas
    if ref.kind == "StatefulSet":
        there = max(there, status.ready_replicas)
    missing = wanted - there
    if one.spec.paused:
        words = "changes of its template are not rolled out until it is resumed"
        yield Finding("info", "paused", ref, words, "spec.paused: true", _rollout(ref))
    if not wanted:
        path = "status.desiredNumberScheduled" if daemon else "spec.replicas"
        words = "no node is to run it" if daemon else "it is scaled to zero"
        yield Finding("info", "no_replicas", ref, words, f"{path}: 0", look_at(ref))
    yield from _denied(ref, one, missing, events)
    progressing = condition(status.conditions, "Progressing")
    if progressing.reason == "ProgressDeadlineExceeded":
        words = f"its rollout did not get on in time; {there} of {wanted} pods are available"
        evidence = f"status.conditions[Progressing]: {progressing.reason}: {progressing.message}"
        severity = "warning" if there else "critical"
        yield Finding(
            severity, "progress_deadline", ref, words, evidence, _rollout(ref), progressing.since, max(missing, 1)
        )
    elif missing > 0:
        yield from _missing(ref, one, survey, wanted, there)


def _denied(ref: Ref, one: Workload, missing: int, events: Sequence[EventRecord]) -> Iterator[Finding]:
    failure = condition(one.status.conditions, "ReplicaFailure")
    if failure.status == "True":
        evidence = f"status.conditions[ReplicaFailure]: {failure.message}"
        yield create_denied(ref, failure.message, evidence, failure.since, max(missing, 1))
    elif missing > 0 and (event := next((one for one in events if one.reason == "FailedCreate"), None)):
        yield create_denied(ref, event.message, event_text(event), event.first, missing)


def _missing(ref: Ref, one: Workload, survey: Survey, wanted: int, there: int) -> Iterator[Finding]:
    available = condition(one.status.conditions, "Available")
    since = available.since if available.status == "False" else None
    began = since or moment(one.metadata.creation_timestamp)
    if not survey.older(began, SETTLING):
        return
    words = f"{there} of {wanted} pods are available"
    if one.status.observed_generation < one.metadata.generation:
        words += "; its controller has not seen the newest change"
    evidence = "status: fewer available than desired"
    severity = "warning" if there else "critical"
    yield Finding(severity, "pods_missing", ref, words, evidence, diagnose(ref), since, wanted - there)


def _rollout(ref: Ref) -> str:
    return tool_call("rollout", kind=ref.kind.lower(), name=ref.name, namespace=ref.namespace)
