"""The namespaces of a call: whether one exists (a list of one that does not is empty), and how answers name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, metadata_page
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.clusters import Clusters
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.deadline import Deadline

_LOOKED_AT: Final = 500
_RULES_SHOWN: Final = 120


def asked_namespaces(namespace: str | None, clusters: Clusters, targets: Sequence[str]) -> str:
    """`namespace_words` for the clusters of a call."""
    return namespace_words(namespace, clusters.clients(targets))


def namespace_words(namespace: str | None, clients: Sequence[KubernetesClient]) -> str:
    """``namespace shop``, or ``all namespaces``: where a fence keeps some of them back, that is told."""
    if namespace:
        return f"namespace {namespace}"
    fences = [client.fence for client in clients if client.fence.by_namespace]
    if not fences:
        return "all namespaces"
    rules = f" ({fences[0].told(_RULES_SHOWN)})" if len(clients) == 1 else ""
    return f"all namespaces within the fence{rules}"


async def missing_namespaces(call: Call[Clusters], namespace: str | None) -> list[str]:
    """A line for each asked cluster that has no such namespace."""
    if namespace is None:
        return []
    clients = call.service.clients(call.targets)
    lines = [await missing_namespace(client, namespace, deadline=call.deadline) for client in clients]
    return [line for line in lines if line]


async def missing_namespace(client: KubernetesClient, namespace: str, *, deadline: Deadline) -> str:
    """A line that says the namespace does not exist, with near names; empty when it exists or may not be read."""
    resource = await client.discovery.find("", "v1", "Namespace", deadline=deadline)
    if resource is None:
        return ""
    try:
        await client.metadata(resource, namespace, deadline=deadline)
    except BackendError as error:
        if error.code != "not_found":
            return ""
    else:
        return ""
    near = await _near(client, namespace, deadline)
    hint = f"; near: {', '.join(near)}" if near else ""
    return f"namespace {namespace} does not exist on {client.name}{hint}"


async def _near(client: KubernetesClient, namespace: str, deadline: Deadline) -> list[str]:
    resource = await client.discovery.find("", "v1", "Namespace", deadline=deadline)
    if resource is None:
        return []
    try:
        page = await metadata_page(client, resource, ListQuery(limit=_LOOKED_AT), deadline=deadline)
    except BackendError:
        return []
    return nearest(namespace, [one.metadata.name for one in page.items])
