"""Links of an object that are no ownership: what it refers to by name, and what selects it by labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector, matches
from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})
_SELECTING: Final = (("", "Service"), ("policy", "PodDisruptionBudget"), ("networking.k8s.io", "NetworkPolicy"))
_SELECTED: Final = (("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("", "Pod"))
_SOURCES: Final = (
    ("configMap", "name", "ConfigMap"),
    ("secret", "secretName", "Secret"),
    ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
)


class _Linked(msgspec.Struct, gc=False):
    """What is read of an object that may select pods, scale a workload or route to a Service."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: dict[str, object] = {}


async def links_of(
    client: KubernetesClient, resource: Resource, obj: Mapping[str, object], *, deadline: Deadline
) -> list[str]:
    """One line per link; a kind that may not be read is named."""
    lines = list(dict.fromkeys(_references(resource, obj)))
    namespace = as_str(dig(obj, "metadata", "namespace"))
    if not namespace:
        return lines
    if resource.kind == "Pod" or resource.kind in _WORKLOADS:
        labels = _pod_labels(resource, obj)
        for group, kind in _SELECTING:
            lines += await _selecting(client, group, kind, namespace, labels, deadline)
    if resource.kind in _WORKLOADS:
        lines += await _scaling(client, resource, obj, namespace, deadline)
    if (resource.group, resource.kind) in _SELECTING:
        lines += await _selected(client, resource.kind, as_dict(obj.get("spec")), namespace, deadline)
    if (resource.group, resource.kind) == ("", "Service"):
        lines += await _routing(client, as_str(dig(obj, "metadata", "name")), namespace, deadline)
    return lines


def _references(resource: Resource, obj: Mapping[str, object]) -> Iterator[str]:
    """What the object names itself."""
    spec = as_dict(obj.get("spec"))
    if resource.kind == "Ingress":
        for name in _services_of(spec):
            yield f"Service/{name} (routes to)"
        for tls in as_list(spec.get("tls")):
            if secret := as_str(dig(tls, "secretName")):
                yield f"Secret/{secret} (tls)"
    elif resource.kind == "HorizontalPodAutoscaler":
        yield f"{as_str(dig(spec, 'scaleTargetRef', 'kind'))}/{as_str(dig(spec, 'scaleTargetRef', 'name'))} (scales)"
    elif resource.kind == "PersistentVolumeClaim":
        if volume := as_str(spec.get("volumeName")):
            yield f"PersistentVolume/{volume}"
    elif resource.kind == "Pod" or resource.kind in _WORKLOADS:
        yield from _pod_references(_pod_spec(resource, spec))


def _pod_references(spec: Mapping[str, object]) -> Iterator[str]:
    if node := as_str(spec.get("nodeName")):
        yield f"Node/{node}"
    if account := as_str(spec.get("serviceAccountName")):
        yield f"ServiceAccount/{account}"
    for volume in as_list(spec.get("volumes")):
        for key, name_field, kind in _SOURCES:
            if name := as_str(dig(volume, key, name_field)):
                yield f"{kind}/{name} (volume)"
    for container in (*as_list(spec.get("initContainers")), *as_list(spec.get("containers"))):
        yield from _environment_references(container)


def _environment_references(container: object) -> Iterator[str]:
    for variable in as_list(dig(container, "env")):
        for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            if name := as_str(dig(variable, "valueFrom", key, "name")):
                yield f"{kind}/{name} (env)"
    for source in as_list(dig(container, "envFrom")):
        for key, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            if name := as_str(dig(source, key, "name")):
                yield f"{kind}/{name} (env)"


async def _selecting(
    client: KubernetesClient, group: str, kind: str, namespace: str, labels: dict[str, str], deadline: Deadline
) -> list[str]:
    """Objects of a kind whose selector matches the pods' labels."""
    found = await _list(client, group, kind, namespace, deadline)
    if isinstance(found, str):
        return [found]
    return [
        f"{kind}/{one.metadata.name} (selects its pods)" for one in found if matches(_selector(kind, one.spec), labels)
    ]


async def _selected(
    client: KubernetesClient, kind: str, spec: Mapping[str, object], namespace: str, deadline: Deadline
) -> list[str]:
    """Workloads whose pods the object's selector matches, and such pods that no workload manages."""
    selector, lines = _selector(kind, spec), list[str]()
    for group, selected in _SELECTED:
        found = await _list(client, group, selected, namespace, deadline)
        if isinstance(found, str):
            lines.append(found)
            continue
        for one in found:
            bare = selected == "Pod" and not one.metadata.owner_references
            labels = one.metadata.labels if selected == "Pod" else _labels(_template_of(selected, one.spec))
            if (bare or selected != "Pod") and matches(selector, labels):
                lines.append(f"{selected}/{one.metadata.name} ({'selected' if bare else 'its pods are selected'})")
    return lines


async def _scaling(
    client: KubernetesClient, resource: Resource, obj: Mapping[str, object], namespace: str, deadline: Deadline
) -> list[str]:
    kind, name = "HorizontalPodAutoscaler", as_str(dig(obj, "metadata", "name"))
    found = await _list(client, "autoscaling", kind, namespace, deadline)
    if isinstance(found, str):
        return [found]
    wanted = (resource.kind, name)
    return [
        f"{kind}/{one.metadata.name} (scales it)"
        for one in found
        if (dig(one.spec, "scaleTargetRef", "kind"), dig(one.spec, "scaleTargetRef", "name")) == wanted
    ]


async def _routing(client: KubernetesClient, service: str, namespace: str, deadline: Deadline) -> list[str]:
    found = await _list(client, "networking.k8s.io", "Ingress", namespace, deadline)
    if isinstance(found, str):
        return [found]
    return [f"Ingress/{one.metadata.name} (routes to it)" for one in found if service in _services_of(one.spec)]


async def _list(
    client: KubernetesClient, group: str, kind: str, namespace: str, deadline: Deadline
) -> list[_Linked] | str:
    """The objects of a kind in the namespace, or the line that says why they are not known."""
    resource = await client.discovery.find(group, "", kind, deadline=deadline)
    if resource is None:
        return []
    try:
        page = await list_page(client, resource, ListQuery(namespace), item=_Linked, deadline=deadline)
    except BackendError as error:
        return f"{kind}: not read ({error.code})"
    return list(page.items)


def _services_of(spec: Mapping[str, object]) -> list[str]:
    backends = [dig(spec, "defaultBackend")]
    for rule in as_list(spec.get("rules")):
        backends += [dig(path, "backend") for path in as_list(dig(rule, "http", "paths"))]
    return [name for backend in backends if (name := as_str(dig(backend, "service", "name")))]


def _selector(kind: str, spec: Mapping[str, object]) -> LabelSelector:
    """The pods a Service, budget or policy is for; a Service without selector selects nothing."""
    if kind != "Service":
        field = "podSelector" if kind == "NetworkPolicy" else "selector"
        return msgspec.convert(as_dict(spec.get(field)), LabelSelector)
    labels = as_dict(spec.get("selector")) or {"": "nothing has an empty label"}
    return msgspec.convert({"matchLabels": labels}, LabelSelector)


def _pod_spec(resource: Resource, spec: Mapping[str, object]) -> Mapping[str, object]:
    return spec if resource.kind == "Pod" else as_dict(dig(_template_of(resource.kind, spec), "spec"))


def _pod_labels(resource: Resource, obj: Mapping[str, object]) -> dict[str, str]:
    return _labels(obj if resource.kind == "Pod" else _template_of(resource.kind, as_dict(obj.get("spec"))))


def _labels(obj: Mapping[str, object]) -> dict[str, str]:
    return {key: as_str(value) for key, value in as_dict(dig(obj, "metadata", "labels")).items()}


def _template_of(kind: str, spec: Mapping[str, object]) -> Mapping[str, object]:
    inner = as_dict(dig(spec, "jobTemplate", "spec")) if kind == "CronJob" else spec
    return as_dict(inner.get("template"))
