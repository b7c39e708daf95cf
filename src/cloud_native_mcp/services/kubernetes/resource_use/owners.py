"""Which workload a pod belongs to, found with one metadata list per kind that stands in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, metadata_pages
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.resource_use.pods import PodNeeds

Workload = tuple[str, str, str]
"""Namespace, kind and name."""
_BETWEEN: Final = (("apps", "ReplicaSet"), ("batch", "Job"))


async def workloads_of(
    client: KubernetesClient, pods: Sequence[PodNeeds], namespace: str | None, *, deadline: Deadline
) -> tuple[dict[tuple[str, str], Workload], list[str]]:
    """The workload of each pod by namespace and name, and the kinds that could not be listed."""
    above: dict[str, tuple[str, str]] = {}
    failed: list[str] = []
    for group, kind in _BETWEEN:
        if not any(pod.owner is not None and pod.owner.kind == kind for pod in pods):
            continue
        resource = await client.discovery.find(group, "", kind, deadline=deadline)
        if resource is None:
            continue
        try:
            async for page in metadata_pages(client, resource, ListQuery(namespace), deadline=deadline):
                owned = ((item.metadata.uid, item.metadata.controller) for item in page.items)
                above |= {uid: (owner.kind, owner.name) for uid, owner in owned if owner is not None}
        except ToolError as error:
            failed.append(f"{resource.display}: {error.code}: {error.text}; their pods stand under {kind}")
    return {pod.key: _workload(pod, above) for pod in pods}, failed


def _workload(pod: PodNeeds, above: Mapping[str, tuple[str, str]]) -> Workload:
    if pod.owner is None:
        return (pod.namespace, "Pod", pod.name)
    kind, name = above.get(pod.owner.uid, (pod.owner.kind, pod.owner.name))
    return (pod.namespace, kind, name)
