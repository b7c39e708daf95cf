"""What goes with objects: their dependents by owner, and the content of namespaces; by kind and count."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, metadata_page
from cloud_native_mcp.backends.kubernetes.owners import descendants
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.removal.selection import Victim

_CHILDREN: Final = (
    ("apps", "v1", "ReplicaSet"),
    ("batch", "v1", "Job"),
    ("", "v1", "Pod"),
    ("discovery.k8s.io", "v1", "EndpointSlice"),
    ("", "v1", "PersistentVolumeClaim"),
)
_CONTENT: Final = (
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "StatefulSet"),
    ("apps", "v1", "DaemonSet"),
    ("batch", "v1", "Job"),
    ("batch", "v1", "CronJob"),
    ("", "v1", "Pod"),
    ("", "v1", "Service"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "Secret"),
    ("", "v1", "PersistentVolumeClaim"),
    ("networking.k8s.io", "v1", "Ingress"),
)
_OWNERS: Final = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Service"})


async def what_goes_along(
    client: KubernetesClient, victims: Sequence[Victim], *, deadline: Deadline
) -> tuple[Counter[str], list[str]]:
    """Counts by kind of what is deleted with the objects, and a line for each kind that could not be read."""
    counts: Counter[str] = Counter()
    unread: list[str] = []
    children = await _served(client, _CHILDREN, deadline)
    for namespace in sorted({one.namespace for one in victims if one.namespace}):
        owners = [v.metadata.uid for v in victims if v.namespace == namespace and v.resource.kind in _OWNERS]
        if owners:
            owned = await descendants(client, owners, children, namespace, deadline=deadline)
            counts.update(one.resource.kind for one in owned.found)
            unread += owned.failed
    for one in victims:
        if (one.resource.group, one.resource.kind) == ("", "Namespace"):
            await _add_content(client, one.metadata.name, counts, unread, deadline)
    return counts, unread


async def _add_content(
    client: KubernetesClient, namespace: str, counts: Counter[str], unread: list[str], deadline: Deadline
) -> None:
    for resource in await _served(client, _CONTENT, deadline):
        try:
            page = await metadata_page(client, resource, ListQuery(namespace, limit=1), deadline=deadline)
        except BackendError as error:
            if error.code not in {"forbidden", DENIED}:
                raise
            unread.append(f"{resource.display}: {error.code}")
        else:
            counts[resource.kind] += len(page.items) + (page.remaining or 0)


async def _served(
    client: KubernetesClient, kinds: Sequence[tuple[str, str, str]], deadline: Deadline
) -> list[Resource]:
    found = [await client.discovery.find(*kind, deadline=deadline) for kind in kinds]
    return [resource for resource in found if resource is not None]
