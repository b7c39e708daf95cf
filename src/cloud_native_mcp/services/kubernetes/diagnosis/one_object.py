"""Why one object is unhealthy: the findings about it and what belongs to it, facts, events and ends of logs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.readiness import readiness_of
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.result import Block, Result, Table, Text
from cloud_native_mcp.contract.times import age, rfc3339
from cloud_native_mcp.services.kubernetes.diagnosis.areas import look
from cloud_native_mcp.services.kubernetes.diagnosis.custom import Custom, custom_findings
from cloud_native_mcp.services.kubernetes.diagnosis.event_table import event_table
from cloud_native_mcp.services.kubernetes.diagnosis.finding import COLUMNS, Finding, Ref, look_at, on_target, ranked
from cloud_native_mcp.services.kubernetes.diagnosis.log_ends import failing, log_ends
from cloud_native_mcp.services.kubernetes.diagnosis.nodes import NODES, node_findings
from cloud_native_mcp.services.kubernetes.diagnosis.pods import pod_findings
from cloud_native_mcp.services.kubernetes.diagnosis.referenced import missing_references
from cloud_native_mcp.services.kubernetes.diagnosis.related import alone, related_to
from cloud_native_mcp.services.kubernetes.diagnosis.storage import full_volumes
from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object
from cloud_native_mcp.services.kubernetes.reading import Reader
from cloud_native_mcp.services.kubernetes.severity import RANK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.diagnosis.finding import Area
    from cloud_native_mcp.services.kubernetes.diagnosis.related import Related
    from cloud_native_mcp.services.kubernetes.service import KubernetesService
    from cloud_native_mcp.services.kubernetes.severity import Severity

MOST_FINDINGS: Final = 20
_IN_NAMESPACE: Final[Sequence[Area]] = ("pods", "workloads", "jobs", "storage", "network", "autoscaling", "quotas")
_OUTSIDE: Final[Mapping[tuple[str, str], Area]] = {
    ("", "Node"): "nodes",
    ("", "PersistentVolume"): "storage",
    ("apiregistration.k8s.io", "APIService"): "control_plane",
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): "control_plane",
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): "control_plane",
}
_WITH_PODS: Final = frozenset(
    {
        *("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"),
        *("Service", "Ingress", "PersistentVolumeClaim", "HorizontalPodAutoscaler", "PodDisruptionBudget"),
        "ResourceQuota",
    }
)
_WITH_CERTIFICATES: Final = frozenset({"Ingress", "Secret"})
_POD: Final = ("", "Pod")
_ROLES: Final = (
    *("workload", "job", "owned", "service", "ingress"),
    *("autoscaler", "budget", "claim", "certificate", "quota"),
)
"""What belongs to an object in the order of the facts."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which object to explain.

    Attributes:
        least: the least severity shown.
        logs: whether ends of logs are wanted.
    """

    resource: Resource
    name: str
    namespace: str | None
    since: datetime
    now: datetime
    least: Severity
    logs: bool


async def explain(call: Call[KubernetesService], question: Question) -> Result:
    """Everything that bears on the health of one object.

    Raises:
        BackendError: ``not_found`` with near names, ``forbidden``, …
    """
    client, resource = call.service.client(call.target), question.resource
    namespace = (question.namespace or client.namespace) if resource.namespaced else None
    obj = await get_object(client, resource, question.name, namespace=namespace, deadline=call.deadline)
    reader = Reader(
        client,
        namespace,
        include_system=True,
        now=question.now,
        deadline=call.deadline,
        watched=call.service.watched,
    )
    areas = _areas(resource)
    survey = Survey(reader, question.since, areas)
    found, failed = await look(survey, areas)
    related = await related_to(survey, resource, obj) if _has_pods(resource) else alone(resource, obj)
    about = _about(found, related, resource)
    findings = ranked([*about, *await _of_its_own(survey, resource, obj, related, about)])
    shown = [one for one in findings if RANK[one.severity] <= RANK[question.least]]
    blocks: list[Block] = [Text("\n".join(_facts(resource, obj, related)), untrusted=True, source="facts")]
    blocks += _table(shown, question.now, call.target if len(call.service.targets) > 1 else "")
    blocks += await event_table(survey, related)
    if question.logs and related.pods:
        ends, silent = await log_ends(survey, failing(related.pods, survey))
        blocks += ends
        failed += silent
    return Result(
        header=_header(question, client.name, namespace, findings, whole=not failed and not reader.gaps),
        blocks=blocks,
        notes=[*_notes(question, shown, len(findings) - len(shown)), *reader.notes],
        partial=[*failed, *reader.gaps],
    )


def _areas(resource: Resource) -> list[Area]:
    if not resource.namespaced:
        area = _OUTSIDE.get((resource.group, resource.kind))
        return [area] if area else []
    pods: Sequence[Area] = _IN_NAMESPACE if _has_pods(resource) else ()
    return [*pods, *(("certificates",) if resource.kind in _WITH_CERTIFICATES else ())]


def _has_pods(resource: Resource) -> bool:
    """Whether pods may stand behind an object: those of custom kinds may own some."""
    return resource.namespaced and (resource.kind in _WITH_PODS or not resource.builtin)


def _about(found: Sequence[Finding], related: Related, resource: Resource) -> list[Finding]:
    """The findings about the object and what belongs to it. A pod tells of itself, not of its fellows."""
    mine = [one for one in found if one.object in related.about]
    if (resource.group, resource.kind) != _POD:
        return mine
    fellows = set(related.of("workload"))
    return [one for one in mine if one.object != related.ref and one.object not in fellows]


async def _of_its_own(
    survey: Survey, resource: Resource, obj: Mapping[str, object], related: Related, about: Sequence[Finding]
) -> list[Finding]:
    """What only a look at the object itself shows, and is not told by what was found ``about`` it."""
    found: list[Finding] = []
    if (resource.group, resource.kind) == _POD:
        events = await survey.events("pods")
        for pod in related.pods:
            found += pod_findings(pod, survey, events.get(pod.metadata.uid, ()))
    if not resource.builtin:
        found += [replace(one, next=f"{one.next} view=tree") for one in _of_custom(resource, obj)]
    told = " ".join(one.evidence for one in (*about, *found))
    missing = await missing_references(survey, resource, obj, related.ref)
    found += [one for one in missing if one.cause.split()[1] not in told]
    found += await _nodes(survey, related)
    if claims := {(ref.namespace, ref.name) for ref in (related.ref, *related.of("claim")) if "Claim" in ref.kind}:
        found += await full_volumes(survey, frozenset(claims))
    return [*found, *_policies(related)]


def _of_custom(resource: Resource, obj: Mapping[str, object]) -> list[Finding]:
    try:
        return list(custom_findings(resource, msgspec.convert(obj, Custom)))
    except msgspec.ValidationError:
        return []


async def _nodes(survey: Survey, related: Related) -> list[Finding]:
    """Troubles of the nodes that its pods are on."""
    names = {ref.name for ref in related.of("node")}
    if not names:
        return []
    held = [pod.spec.node_name for pod in related.pods]
    return [
        one
        for node in await survey.reader.optional(NODES, "nodes")
        if node.metadata.name in names
        for one in node_findings(node, held.count(node.metadata.name))
        if one.code != "tainted"
    ]


def _policies(related: Related) -> list[Finding]:
    """Policies that let nothing in to the pods."""
    return [
        Finding(
            "info",
            "policy_denies",
            related.ref,
            f"NetworkPolicy {one.metadata.name} lets nothing in to its pods",
            "spec.ingress is empty",
            look_at(Ref("NetworkPolicy", one.metadata.namespace, one.metadata.name)),
        )
        for one in related.policies
        if one.limits_ingress and not one.spec.ingress
    ]


def _facts(resource: Resource, obj: Mapping[str, object], related: Related) -> list[str]:
    created = msgspec.convert(obj, Custom).metadata.creation_timestamp
    ready = sum(pod.ready for pod in related.pods)
    lines = [f"{related.ref}: {', '.join(filter(None, (readiness_of(resource, obj), f'age: {age(created)}')))}"]
    if related.pods:
        some = ", ".join(f"{pod.metadata.name} on {pod.spec.node_name or 'no node'}" for pod in related.pods[:5])
        more = f", {len(related.pods) - 5} more" if len(related.pods) > 5 else ""
        lines.append(f"pods: {len(related.pods)}, {ready} ready: {some}{more}")
    by_role = {role: [str(ref) for ref in related.of(role) if ref.kind != "Pod"] for role in _ROLES}
    lines += [f"{role}: {', '.join(refs[:10])}" for role, refs in by_role.items() if refs]
    if related.policies:
        lines.append(f"network policies: {', '.join(one.metadata.name for one in related.policies)}")
    return lines


def _table(shown: Sequence[Finding], now: datetime, target: str) -> list[Block]:
    rows = [(on_target(one, target) if target else one).cells(now) for one in shown[:MOST_FINDINGS]]
    return [Table(COLUMNS, rows, title="Findings", untrusted=True, source="findings")] if rows else []


def _header(
    question: Question, cluster: str, namespace: str | None, findings: Sequence[Finding], *, whole: bool
) -> str:
    where = f" in namespace {namespace}" if namespace else ""
    nothing = "nothing wrong was found" if whole else "nothing wrong was found in what could be read"
    state = f"{findings[0].severity}, {number_of(len(findings), 'finding')}" if findings else nothing
    when = rfc3339(question.now.replace(microsecond=0))
    return f"{question.resource.kind} {question.name}{where} on {cluster}: {state}, {when}"


def _notes(question: Question, shown: Sequence[Finding], hidden: int) -> list[str]:
    notes = [f"not shown: {number_of(hidden, 'finding')} below {question.least}; see min_severity"] if hidden else []
    if len(shown) > MOST_FINDINGS:
        notes.append(f"{MOST_FINDINGS} of {len(shown)} findings shown, the worst")
    return notes
