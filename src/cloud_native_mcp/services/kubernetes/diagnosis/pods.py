"""Pods that do not run or do not serve; those of one workload with one trouble are told once.

Source: https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.kubernetes.diagnosis.containers import (
    Trouble,
    container_troubles,
    event_call,
    log_call,
)
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, tool_call
from cloud_native_mcp.services.kubernetes.diagnosis.scheduling import refusals
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import condition, moment
from cloud_native_mcp.services.kubernetes.diagnosis.survey import PODS, event_text, workload_of
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Pod
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
    from cloud_native_mcp.services.kubernetes.event_records import EventRecord
    from cloud_native_mcp.services.kubernetes.severity import Severity

CONSEQUENCES: Final = frozenset({"progress_deadline", "pods_missing"})
"""What a workload shows when its pods do not serve."""
SETTLING: Final = timedelta(minutes=2)
"""A pod may take so long to start, to become ready, or to go, without a word."""
FAILED_PROBES: Final = 3
"""Failures of a liveness probe from which on a pod that serves is in trouble."""
_MOUNTING: Final = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_NOT_THERE: Final = re.compile(
    r'(?:configmap|secret|persistentvolumeclaim)s? "[^"]*" not found|references non-existent'
)


@dataclass(slots=True)
class _Group:
    """The pods of one workload with the same trouble."""

    owner: Ref
    first: Trouble
    since: datetime | None
    pods: int = 0
    fresh: bool = False
    """Whether one of them is no longer minor."""


@dataclass(slots=True)
class _Census:
    """Pods of each workload, those of them that serve, and the troubles."""

    ready: dict[Ref, int] = field(default_factory=dict[Ref, int])
    groups: dict[tuple[Ref, str, str], _Group] = field(default_factory=dict[tuple[Ref, str, str], _Group])


async def pods(survey: Survey) -> list[Finding]:
    """Every trouble of every pod, one finding for each workload, code and container."""
    events = await survey.events("pods")
    census = _Census()
    async for pod in unhurried(await survey.reader.objects(PODS)):
        owner = workload_of(pod)
        census.ready[owner] = census.ready.get(owner, 0) + pod.ready
        for trouble in pod_troubles(pod, survey, events.get(pod.metadata.uid, ())):
            since = trouble.since or (_unready_since(pod) if trouble.stops else None)
            key = (owner, trouble.code, trouble.part)
            group = census.groups.setdefault(key, _Group(owner, trouble, since))
            group.pods += 1
            group.since = min(filter(None, (group.since, since)), default=None)
            group.fresh = group.fresh or not trouble.minor
    return [_finding(group, census.ready[group.owner]) for group in census.groups.values()]


def _finding(group: _Group, ready: int) -> Finding:
    one = group.first
    severity: Severity = "warning" if group.fresh else "info"
    if one.stops and group.fresh and not ready:
        severity = "critical"
    implies = CONSEQUENCES if one.stops and group.fresh else frozenset[str]()
    return Finding(
        severity, one.code, group.owner, one.cause, one.evidence, one.next, group.since, group.pods, group.pods, implies
    )


def pod_findings(pod: Pod, survey: Survey, events: Sequence[EventRecord]) -> list[Finding]:
    """What is wrong with one pod, told of the pod itself."""
    ref = Ref("Pod", pod.metadata.namespace, pod.metadata.name)
    since = None if pod.ready else _unready_since(pod)
    groups = [_Group(ref, one, one.since or since, 1, not one.minor) for one in pod_troubles(pod, survey, events)]
    return [_finding(group, int(pod.ready)) for group in groups]


def pod_troubles(pod: Pod, survey: Survey, events: Sequence[EventRecord]) -> Iterator[Trouble]:
    """What is wrong with one pod. ``events``: its warnings, the newest first."""
    status = pod.status
    if pod.metadata.deletion_timestamp:
        yield from _terminating(pod, survey)
    elif status.phase == "Failed":
        yield from _failed(pod, survey)
    elif status.phase == "Unknown" or status.reason == "NodeLost":
        evidence = f"status.phase: {status.phase} {status.reason}: {status.message}"
        cause = f"node {pod.spec.node_name} does not report it any more"
        yield Trouble("pod_unknown", "", cause, evidence, look_at_node(pod))
    elif not pod.spec.node_name:
        yield from _not_placed(pod, survey)
    else:
        found = list(_of_containers(pod, survey))
        yield from found
        if not any(one.stops for one in found):
            yield from _not_ready(pod, survey, events)


def look_at_node(pod: Pod) -> str:
    """The call that describes the node of a pod."""
    return tool_call("get", kind="node", name=pod.spec.node_name)


def _terminating(pod: Pod, survey: Survey) -> Iterator[Trouble]:
    # The API sets the deletion timestamp to when the grace period ends.
    due = moment(pod.metadata.deletion_timestamp)
    if not survey.older(due, SETTLING):
        return
    held = pod.metadata.finalizers
    cause = f"finalizers hold it: {', '.join(held)}" if held else f"node {pod.spec.node_name} does not end it"
    evidence = f"metadata.deletionTimestamp: {pod.metadata.deletion_timestamp}"
    next_call = _describe(pod) if held or not pod.spec.node_name else look_at_node(pod)
    yield Trouble("stuck_terminating", "finalizer" if held else "node", cause, evidence, next_call, due, stops=False)


def _failed(pod: Pod, survey: Survey) -> Iterator[Trouble]:
    owner = pod.metadata.controller
    if owner is not None and owner.kind == "Job":
        return  # the Job tells
    status = pod.status
    ended = [one.state.terminated.when for one in status.container_statuses if one.state.terminated]
    when = max((one for one in ended if one), default=None) or condition(status.conditions, "Ready").since
    when = when or moment(pod.metadata.creation_timestamp)
    code = "evicted" if status.reason == "Evicted" else "pod_failed"
    why = status.message or next(
        (
            f"container {one.name} ended with exit {one.state.terminated.exit_code}"
            for one in status.container_statuses
            if one.state.terminated and one.state.terminated.exit_code
        ),
        "it failed",
    )
    cause = f"node {pod.spec.node_name} evicted it: {why}" if code == "evicted" else why
    evidence = f"status.phase: Failed {status.reason}".strip()
    minor = when is not None and when < survey.since
    yield Trouble(code, status.reason, cause, evidence, _describe(pod), when, stops=False, minor=minor)


def _not_placed(pod: Pod, survey: Survey) -> Iterator[Trouble]:
    placed = condition(pod.status.conditions, "PodScheduled")
    if placed.reason == "SchedulingGated":
        gates = ", ".join(gate.name for gate in pod.spec.scheduling_gates)
        yield Trouble("gated", "", f"gates hold it back: {gates}", placed.message, _describe(pod), minor=True)
    elif placed.status == "False":
        found = refusals(placed.message)
        evidence = f"status.conditions[PodScheduled]: {placed.reason}: {placed.message}"
        next_call = _placing_call(pod, found.kinds)
        yield Trouble("unschedulable", ",".join(found.kinds), found.words, evidence, next_call, placed.since)
    elif survey.older(moment(pod.metadata.creation_timestamp), SETTLING):
        cause = f"no scheduler has looked at it: does {pod.spec.scheduler_name!a} run?"
        since = moment(pod.metadata.creation_timestamp)
        yield Trouble("unscheduled", "", cause, "no condition PodScheduled", event_call(pod.metadata), since)


def _placing_call(pod: Pod, kinds: Sequence[str]) -> str:
    """The call that shows what keeps the pod from being placed."""
    if kinds[:1] == ("volume",) and pod.claims:
        return tool_call("diagnose", kind="pvc", name=pod.claims[0], namespace=pod.metadata.namespace)
    if {"cpu", "memory", "pods", "disk"} & set(kinds):
        return tool_call("top", by="nodes")
    if {"taint", "cordoned", "affinity"} & set(kinds):
        return tool_call("list", kind="nodes", columns="labels")
    return event_call(pod.metadata)


def _of_containers(pod: Pod, survey: Survey) -> Iterator[Trouble]:
    sidecars = {one.name for one in pod.spec.init_containers if one.restart_policy == "Always"}
    for status in pod.status.init_container_statuses:
        init = status.name not in sidecars
        yield from container_troubles(pod.metadata, status, survey.since, init=init)
    for status in pod.status.container_statuses:
        yield from container_troubles(pod.metadata, status, survey.since)


def _not_ready(pod: Pod, survey: Survey, events: Sequence[EventRecord]) -> Iterator[Trouble]:
    """A pod on a node of which no container tells what is wrong."""
    unhealthy = next((one for one in events if one.reason == "Unhealthy"), None)
    if pod.ready:
        if unhealthy is not None and "Liveness" in unhealthy.message and unhealthy.times >= FAILED_PROBES:
            yield _probe(pod, "liveness", "its liveness probe fails now and then", event_text(unhealthy))
        return
    if stuck := _starting(pod, events):
        yield stuck
    elif unhealthy is not None:
        kind = unhealthy.message.partition(" ")[0].lower()
        yield _probe(pod, kind, f"its {kind} probe fails", event_text(unhealthy))
    elif survey.older(_unready_since(pod), SETTLING):
        yield _unexplained(pod)


def _unready_since(pod: Pod) -> datetime | None:
    return condition(pod.status.conditions, "Ready").since or moment(pod.metadata.creation_timestamp)


def _probe(pod: Pod, kind: str, cause: str, evidence: str) -> Trouble:
    unready = _unready_container(pod)
    container = unready or (pod.spec.containers[0].name if pod.spec.containers else "")
    since = None if pod.ready else _unready_since(pod)
    call = log_call(pod.metadata, container, previous=False)
    return Trouble("probe_failing", kind, cause, evidence, call, since, stops=not pod.ready)


def _unready_container(pod: Pod) -> str:
    return next((one.name for one in pod.status.container_statuses if not one.ready), "")


def _starting(pod: Pod, events: Sequence[EventRecord]) -> Trouble | None:
    """A pod whose volumes or network cannot be set up, so that none of its containers was created."""
    if any(one.state.waiting is None for one in pod.status.container_statuses):
        return None
    for event in events:
        if event.reason in _MOUNTING:
            if _NOT_THERE.search(event.message):
                cause = "a volume needs a ConfigMap, Secret or claim that does not exist"
                return Trouble("config_missing", "volume", cause, event_text(event), event_call(pod.metadata))
            cause = "a volume cannot be attached or mounted"
            return Trouble("mount_failed", "", cause, event_text(event), event_call(pod.metadata))
        if event.reason == "FailedCreatePodSandBox":
            cause = "the node cannot set up its network or sandbox"
            return Trouble("sandbox_failed", "", cause, event_text(event), look_at_node(pod))
    return None


def _unexplained(pod: Pod) -> Trouble:
    """A pod that is not ready for long, and nothing says why."""
    ready = condition(pod.status.conditions, "Ready")
    since = _unready_since(pod)
    evidence = f"status.conditions[Ready]: {ready.reason}: {ready.message}"
    name = _unready_container(pod)
    if not pod.status.container_statuses:
        cause = f"the kubelet of node {pod.spec.node_name} has not started it"
        return Trouble("not_started", "", cause, evidence, look_at_node(pod), since)
    spec = next((one for one in pod.spec.containers if one.name == name), None)
    status = next((one for one in pod.status.container_statuses if one.name == name), None)
    call = log_call(pod.metadata, name, previous=False)
    if spec is not None and spec.startup_probe is not None and status is not None and not status.started:
        return Trouble("probe_failing", "startup", f"the startup probe of {name} has not passed", evidence, call, since)
    if spec is not None and spec.readiness_probe is not None:
        return Trouble("probe_failing", "readiness", f"the readiness probe of {name} fails", evidence, call, since)
    return Trouble("not_ready", "", ready.message or "it is not ready", evidence, _describe(pod), since)


def _describe(pod: Pod) -> str:
    return tool_call("get", kind="pod", name=pod.metadata.name, namespace=pod.metadata.namespace)
