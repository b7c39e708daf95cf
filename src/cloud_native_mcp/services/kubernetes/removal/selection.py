"""The objects a delete means: by name, by selector, or those of a manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, metadata_pages
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.inspection.lookup import not_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.manifests import Planned
    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

MOST_OBJECTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Victim:
    """One object that is to go."""

    resource: Resource
    metadata: ObjectMeta

    @property
    def namespace(self) -> str | None:
        """Its namespace, or None for kinds outside namespaces."""
        return self.metadata.namespace or None if self.resource.namespaced else None

    @property
    def label(self) -> str:
        """``Pod shop/web``."""
        where = f"{self.metadata.namespace}/" if self.namespace else ""
        return f"{self.resource.kind} {where}{self.metadata.name}"

    @property
    def subject(self) -> str:
        """What a confirmation is bound to: the very object, in this version."""
        return f"{self.label} {self.metadata.uid}@{self.metadata.resource_version}"


async def named(
    client: KubernetesClient, resource: Resource, names: Sequence[str], namespace: str | None, *, deadline: Deadline
) -> tuple[list[Victim], list[str]]:
    """The objects of these names that are there, and the labels of those that are not.

    Raises:
        BackendError: ``not_found`` when none is there.
    """
    victims: list[Victim] = []
    missing: list[str] = []
    for name in names:
        try:
            found = await client.metadata(resource, name, namespace=namespace, deadline=deadline)
        except BackendError as error:
            if error.code != "not_found":
                raise
            missing.append(name)
        else:
            victims.append(Victim(resource, found.metadata))
    if not victims:
        raise await not_found(client, resource, names[0], namespace=namespace, deadline=deadline)
    return victims, missing


async def selected(
    client: KubernetesClient, resource: Resource, query: ListQuery, *, deadline: Deadline
) -> list[Victim]:
    """The objects of a selector, every page of them.

    Raises:
        InvalidArgument: more than `MOST_OBJECTS`.
        ToolError: ``not_found`` when there is none.
    """
    victims: list[Victim] = []
    async for page in metadata_pages(client, resource, query, deadline=deadline):
        victims += [Victim(resource, one.metadata) for one in page.items]
        if len(victims) > MOST_OBJECTS:
            raise InvalidArgument("label_selector", f"selects more than {MOST_OBJECTS:,} objects; narrow it")
    if not victims:
        where = f" in namespace {query.namespace}" if query.namespace else ""
        selector = query.label_selector or query.field_selector
        raise ToolError("not_found", f"no {resource.kind}{where} on {client.name} matches {selector}")
    return victims


async def of_manifest(
    client: KubernetesClient, planned: Sequence[Planned], *, deadline: Deadline
) -> tuple[list[Victim], list[str]]:
    """The objects of a manifest that are there, the last applied first, and the labels of those that are not.

    Raises:
        ToolError: ``not_found`` when none is there.
    """
    victims: list[Victim] = []
    missing: list[str] = []
    for one in reversed(planned):
        if one.resource is None or not one.document.name:
            missing.append(one.label)
            continue
        try:
            found = await client.metadata(one.resource, one.document.name, namespace=one.namespace, deadline=deadline)
        except BackendError as error:
            if error.code != "not_found":
                raise
            missing.append(one.label)
        else:
            victims.append(Victim(one.resource, found.metadata))
    if not victims:
        raise ToolError("not_found", f"manifest: none of its {len(planned)} objects is on {client.name}")
    return victims, missing
