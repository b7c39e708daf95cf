"""What belongs to one object: its pods, and what they are served, scaled, limited and stored by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import PartialObject
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector, matches
from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.services.kubernetes.auditing.ingresses import INGRESSES
from cloud_native_mcp.services.kubernetes.auditing.network_policies import POLICIES
from cloud_native_mcp.services.kubernetes.diagnosis.autoscaling import AUTOSCALERS, BUDGETS
from cloud_native_mcp.services.kubernetes.diagnosis.endpoints import SERVICES
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Ref
from cloud_native_mcp.services.kubernetes.diagnosis.jobs import JOBS
from cloud_native_mcp.services.kubernetes.diagnosis.quotas import QUOTAS
from cloud_native_mcp.services.kubernetes.diagnosis.survey import PODS, workload_of
from cloud_native_mcp.services.kubernetes.workloads import family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.services.kubernetes.auditing.network_policies import NetworkPolicy
    from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Pod
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

_OWNERS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job"})


@dataclass(slots=True)
class Related:
    """An object, its pods, and what stands around them.

    Attributes:
        about: the objects whose troubles are troubles of this one, by what they are to it.
    """

    ref: Ref
    uid: str
    pods: list[Pod] = field(default_factory=list["Pod"])
    about: dict[Ref, str] = field(default_factory=dict[Ref, str])
    policies: list[NetworkPolicy] = field(default_factory=list["NetworkPolicy"])

    def of(self, role: str) -> list[Ref]:
        """The objects that are this to it."""
        return [ref for ref, found in self.about.items() if found == role]


def alone(resource: Resource, obj: Mapping[str, object]) -> Related:
    """An object without anything around it."""
    meta = msgspec.convert(obj, PartialObject).metadata
    found = Related(Ref(resource.kind, meta.namespace, meta.name), meta.uid)
    found.about[found.ref] = "itself"
    return found


async def related_to(survey: Survey, resource: Resource, obj: Mapping[str, object]) -> Related:
    """Everything in the namespace that bears on an object of it.

    Raises:
        ToolError: pods or the owner tree cannot be read.
    """
    found = alone(resource, obj)
    belongs = await _membership(survey, resource, dict(obj), found)
    pods = await survey.reader.either(PODS, "pods") or ()
    found.pods = [pod for pod in pods if belongs(pod)]
    for pod in found.pods:
        found.about.setdefault(Ref("Pod", pod.metadata.namespace, pod.metadata.name), "pod")
        found.about.setdefault(workload_of(pod), "workload")
        if pod.spec.node_name:
            found.about.setdefault(Ref("Node", "", pod.spec.node_name), "node")
        for claim in pod.claims:
            found.about.setdefault(Ref("PersistentVolumeClaim", pod.metadata.namespace, claim), "claim")
    await _around(survey, found, _template_labels(resource, obj))
    return found


async def _membership(
    survey: Survey, resource: Resource, obj: dict[str, object], found: Related
) -> Callable[[Pod], bool]:
    """How to tell the pods of an object."""
    ref, spec = found.ref, as_dict(obj.get("spec"))
    if (chosen := _by_fields(resource, spec, found)) is not None:
        return chosen
    match (resource.group, resource.kind):
        case ("", "ResourceQuota"):
            return lambda _: False
        case ("networking.k8s.io", "Ingress"):
            return await _behind_ingress(survey, found)
        case ("batch", "CronJob"):
            jobs = [one for one in await survey.reader.optional(JOBS, "jobs") if _owned(one.metadata, found.uid)]
            names = {Ref("Job", one.metadata.namespace, one.metadata.name) for one in jobs}
            found.about |= dict.fromkeys(names, "job")
            return lambda pod: workload_of(pod) in names
        case _:
            reader = survey.reader
            family = await family_of(reader.client, resource, obj, deadline=reader.deadline)
            found.about |= {Ref(kind, ref.namespace, name): "owned" for kind, name in family.names if name != ref.name}
            return lambda pod: pod.metadata.uid in family.uids


def _by_fields(resource: Resource, spec: Mapping[str, object], found: Related) -> Callable[[Pod], bool] | None:
    """How to tell the pods of an object that says it itself; None for other kinds."""
    ref = found.ref
    chosen: Callable[[Pod], bool] | None = None
    match (resource.group, resource.kind):
        case ("", "Pod"):
            chosen = lambda pod: pod.metadata.uid == found.uid  # noqa: E731
        case ("", "PersistentVolumeClaim"):
            chosen = lambda pod: ref.name in pod.claims  # noqa: E731
        case ("", "Service"):
            labels = as_dict(spec.get("selector"))
            chosen = lambda pod: bool(labels) and labels.items() <= pod.metadata.labels.items()  # noqa: E731
        case ("autoscaling", "HorizontalPodAutoscaler"):
            target = Ref(_kind_of(spec), ref.namespace, as_str(dig(spec, "scaleTargetRef", "name")))
            found.about[target] = "workload"
            chosen = lambda pod: workload_of(pod) == target  # noqa: E731
        case ("policy", "PodDisruptionBudget"):
            selector = msgspec.convert(as_dict(spec.get("selector")), LabelSelector)
            chosen = lambda pod: matches(selector, pod.metadata.labels)  # noqa: E731
        case ("apps" | "batch", kind) if kind in _OWNERS:
            chosen = lambda pod: workload_of(pod) == ref  # noqa: E731
        case _:
            pass
    return chosen


async def _behind_ingress(survey: Survey, found: Related) -> Callable[[Pod], bool]:
    mine = [one for one in await survey.reader.optional(INGRESSES, "network") if one.metadata.uid == found.uid]
    names = {backend.name for one in mine for _, backend in one.backends}
    found.about |= {Ref("Secret", found.ref.namespace, name): "certificate" for one in mine for name in one.secrets}
    selectors: list[dict[str, str]] = []
    for service in await survey.reader.optional(SERVICES, "network"):
        if service.metadata.name in names:
            found.about[Ref("Service", found.ref.namespace, service.metadata.name)] = "service"
            selectors.append(service.spec.selector or {"": ""})
    return lambda pod: any(one.items() <= pod.metadata.labels.items() for one in selectors)


async def _around(survey: Survey, found: Related, template: Mapping[str, str]) -> None:
    """Services, Ingresses, autoscalers, budgets, quotas and policies that concern the pods, or would."""
    reader, namespace = survey.reader, found.ref.namespace
    labels = [pod.metadata.labels for pod in found.pods] or ([template] if template else [])
    for service in await reader.optional(SERVICES, "network"):
        if (chosen := service.spec.selector) and any(chosen.items() <= one.items() for one in labels):
            found.about.setdefault(Ref("Service", namespace, service.metadata.name), "service")
    services = {ref.name for ref in found.about if ref.kind == "Service"}
    for ingress in await reader.optional(INGRESSES, "network"):
        if any(backend.name in services for _, backend in ingress.backends):
            found.about.setdefault(Ref("Ingress", namespace, ingress.metadata.name), "ingress")
    for scaler in await reader.optional(AUTOSCALERS, "autoscaling"):
        target = scaler.spec.scale_target_ref
        if Ref(target.kind, namespace, target.name) in found.about:
            found.about.setdefault(Ref("HorizontalPodAutoscaler", namespace, scaler.metadata.name), "autoscaler")
    for budget in await reader.optional(BUDGETS, "autoscaling"):
        if budget.spec.selector is not None and any(matches(budget.spec.selector, one) for one in labels):
            found.about.setdefault(Ref("PodDisruptionBudget", namespace, budget.metadata.name), "budget")
    if labels:
        for quota in await reader.optional(QUOTAS, "quotas"):
            found.about.setdefault(Ref("ResourceQuota", namespace, quota.metadata.name), "quota")
        found.policies = [
            one
            for one in await reader.optional(POLICIES, "network")
            if any(matches(one.spec.pod_selector, some) for some in labels)
        ]


def _kind_of(spec: Mapping[str, object]) -> str:
    return as_str(dig(spec, "scaleTargetRef", "kind"))


def _owned(meta: ObjectMeta, uid: str) -> bool:
    return meta.controller is not None and meta.controller.uid == uid


def _template_labels(resource: Resource, obj: Mapping[str, object]) -> dict[str, str]:
    """Labels that the pods of a workload without pods would have."""
    template = dig(obj, "spec", "jobTemplate", "spec", "template") if resource.kind == "CronJob" else None
    found = as_dict(dig(template or dig(obj, "spec", "template"), "metadata", "labels"))
    return {key: as_str(value) for key, value in found.items()}
