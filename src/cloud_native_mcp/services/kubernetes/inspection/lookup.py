"""Getting objects by name, with an error that says what exactly is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, metadata_page
from cloud_native_mcp.backends.kubernetes.namespaces import missing_namespace
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

_LOOKED_AT: Final = 500


async def get_object(
    client: KubernetesClient, resource: Resource, name: str, *, namespace: str | None, deadline: Deadline
) -> dict[str, object]:
    """One object as a plain dict.

    Raises:
        BackendError: ``not_found`` that says whether the namespace or the name is missing, with near names.
    """
    try:
        obj = await client.get(resource, name, namespace=namespace, deadline=deadline)
    except BackendError as error:
        if error.code != "not_found":
            raise
        raise await not_found(client, resource, name, namespace=namespace, deadline=deadline) from error
    return {"apiVersion": resource.group_version, "kind": resource.kind} | obj


async def not_found(
    client: KubernetesClient, resource: Resource, name: str, *, namespace: str | None, deadline: Deadline
) -> BackendError:
    """The error for an object that is not there: which part is missing, and what is near."""
    where = f" in namespace {namespace or client.namespace}" if resource.namespaced else ""
    if resource.namespaced and (
        line := await missing_namespace(client, namespace or client.namespace, deadline=deadline)
    ):
        return BackendError("not_found", line, kind="fix", status=404)
    near = await _near(client, resource, name, namespace, deadline)
    hint = f"; near: {', '.join(near)}" if near else ""
    text = f"no {resource.kind} {name}{where} on {client.name}{hint}"
    return BackendError("not_found", text, kind="fix", status=404)


async def _near(
    client: KubernetesClient, resource: Resource, name: str, namespace: str | None, deadline: Deadline
) -> list[str]:
    """Near names in the same namespace, else the same name elsewhere."""
    if "list" not in resource.verbs:
        return []
    try:
        page = await metadata_page(
            client,
            resource,
            ListQuery(namespace or client.namespace if resource.namespaced else None, limit=_LOOKED_AT),
            deadline=deadline,
        )
        if near := nearest(name, [one.metadata.name for one in page.items]):
            return near
        if not resource.namespaced:
            return []
        elsewhere = ListQuery(field_selector=f"metadata.name={name}", limit=5)
        page = await metadata_page(client, resource, elsewhere, deadline=deadline)
    except BackendError:
        return []
    return [f"{one.metadata.namespace}/{one.metadata.name}" for one in page.items]
