"""From a workload to its pods: by its selector, or by ownership for kinds that have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta, PartialObject
from cloud_native_mcp.backends.kubernetes.owners import descendants
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector, selector_text
from cloud_native_mcp.contract.json_values import as_dict, dig
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

MOST_PODS: Final = 500
_BETWEEN: Final = (
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "Deployment"),
    ("batch", "Job"),
    ("tekton.dev", "TaskRun"),
    ("", "Pod"),
)


@dataclass(frozen=True, slots=True)
class Family:
    """A workload and what belongs to it: uids and names of itself, its ReplicaSets or Jobs, and its pods."""

    resource: Resource
    meta: ObjectMeta
    names: frozenset[tuple[str, str]]
    uids: frozenset[str]


async def pod_resource(client: KubernetesClient, deadline: Deadline) -> Resource:
    """The resource of pods.

    Raises:
        ToolError: ``unsupported``, when the cluster serves no pods.
    """
    resource = await client.discovery.find("", "v1", "Pod", deadline=deadline)
    if resource is None:
        raise ToolError("unsupported", f"cluster {client.name} serves no pods")
    return resource


async def pods_of(
    client: KubernetesClient, resource: Resource, name: str, *, namespace: str, deadline: Deadline
) -> list[dict[str, object]]:
    """The pods of a workload of any kind, `MOST_PODS` at most; the pod itself for a pod.

    Raises:
        BackendError: ``not_found`` with near names, ``forbidden``, …
    """
    obj = await get_object(client, resource, name, namespace=namespace, deadline=deadline)
    if (resource.group, resource.kind) == ("", "Pod"):
        return [obj]
    selector = _selector_of(obj)
    if selector:
        return await pods_matching(client, selector, namespace=namespace, deadline=deadline)
    family = await family_of(client, resource, obj, deadline=deadline)
    pods = await pods_matching(client, "", namespace=namespace, deadline=deadline)
    return [pod for pod in pods if dig(pod, "metadata", "uid") in family.uids]


async def pods_matching(
    client: KubernetesClient, selector: str, *, namespace: str | None, deadline: Deadline
) -> list[dict[str, object]]:
    """Pods of a namespace, or of all (None), by label selector."""
    resource = await pod_resource(client, deadline)
    query = ListQuery(namespace, selector, limit=MOST_PODS)
    page = await list_page(client, resource, query, item=dict[str, object], deadline=deadline)
    return list(page.items)


async def family_of(
    client: KubernetesClient, resource: Resource, obj: dict[str, object], *, deadline: Deadline
) -> Family:
    """An object and all it owns among workloads and pods, by the owner tree."""
    meta = msgspec.convert(obj, PartialObject).metadata
    found = await _kinds(client, deadline)
    owned = await descendants(client, [meta.uid], found, meta.namespace or None, deadline=deadline)
    names = {(resource.kind, meta.name)} | {(one.resource.kind, one.meta.name) for one in owned.found}
    return Family(resource, meta, frozenset(names), frozenset({meta.uid, *(one.meta.uid for one in owned.found)}))


async def _kinds(client: KubernetesClient, deadline: Deadline) -> Sequence[Resource]:
    found = [await client.discovery.find(group, "", kind, deadline=deadline) for group, kind in _BETWEEN]
    return [resource for resource in found if resource is not None]


def _selector_of(obj: dict[str, object]) -> str:
    """The label selector of a workload or Service as text; empty when the kind has none."""
    raw = as_dict(dig(obj, "spec", "selector"))
    if not raw:
        return ""
    selector = raw if "matchLabels" in raw or "matchExpressions" in raw else {"matchLabels": raw}
    try:
        return selector_text(msgspec.convert(selector, LabelSelector))
    except msgspec.ValidationError:
        return ""
