"""Who owns an object, and what it owns."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, metadata_pages
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta, OwnerReference
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

DEEPEST: Final = 8
MOST_SCANNED: Final = 20_000
_PARALLEL: Final = 4


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner. ``resource`` is None when its kind is not served, ``meta`` when it is gone or may not be read."""

    kind: str
    name: str
    uid: str
    resource: Resource | None
    meta: ObjectMeta | None


@dataclass(frozen=True, slots=True)
class Descendant:
    """An object that is owned, directly or through others."""

    resource: Resource
    meta: ObjectMeta
    parent_uid: str
    depth: int


@dataclass(frozen=True, slots=True)
class Descendants:
    """Found objects, nearest first. ``failed`` names kinds that could not be listed, and why."""

    found: Sequence[Descendant]
    failed: Sequence[str] = ()
    complete: bool = True


async def owner_chain(
    client: KubernetesClient, meta: ObjectMeta, namespace: str | None, *, deadline: Deadline
) -> tuple[Owner, ...]:
    """The owners upward, nearest first, by the managing owner of each. Ends where one is gone or may not be read."""
    chain: list[Owner] = []
    seen = {meta.uid}
    reference = meta.controller
    while reference is not None and reference.uid not in seen and len(chain) < DEEPEST:
        seen.add(reference.uid)
        owner = await _owner(client, reference, namespace, deadline)
        chain.append(owner)
        reference = owner.meta.controller if owner.meta else None
    return tuple(chain)


async def _owner(
    client: KubernetesClient, reference: OwnerReference, namespace: str | None, deadline: Deadline
) -> Owner:
    group, _, version = reference.api_version.rpartition("/")
    resource = await client.discovery.find(group, version, reference.kind, deadline=deadline)
    if resource is None:
        resource = await client.discovery.find(group, "", reference.kind, deadline=deadline)
    meta: ObjectMeta | None = None
    if resource is not None:
        try:
            found = await client.metadata(resource, reference.name, namespace=namespace, deadline=deadline)
        except BackendError as error:
            if error.code not in {"not_found", "forbidden", DENIED, "unsupported"}:
                raise
        else:
            # Another object may have taken the name since.
            meta = found.metadata if found.metadata.uid == reference.uid else None
    return Owner(reference.kind, reference.name, reference.uid, resource, meta)


async def descendants(
    client: KubernetesClient,
    uids: Sequence[str],
    resources: Sequence[Resource],
    namespace: str | None,
    *,
    deadline: Deadline,
) -> Descendants:
    """What the objects own among these kinds, by metadata-only lists of the namespace.

    Kinds that cannot be listed are named, not fatal; so is a scan of more than `MOST_SCANNED` objects of one kind.
    """
    seats = asyncio.Semaphore(_PARALLEL)

    async def listed(resource: Resource) -> tuple[list[ObjectMeta], str, bool]:
        async with seats:
            return await _listed(client, resource, namespace, deadline)

    answers = await together(*(listed(resource) for resource in resources))
    by_owner: dict[str, list[tuple[Resource, ObjectMeta]]] = {}
    for resource, (metas, _, _) in zip(resources, answers, strict=True):
        for meta in metas:
            for reference in meta.owner_references:
                by_owner.setdefault(reference.uid, []).append((resource, meta))
    failed = [why for _, why, _ in answers if why]
    return Descendants(_walk(uids, by_owner), failed, complete=all(whole for _, _, whole in answers))


async def _listed(
    client: KubernetesClient, resource: Resource, namespace: str | None, deadline: Deadline
) -> tuple[list[ObjectMeta], str, bool]:
    """Metadata of the owned objects of a kind; why there is none; whether all were looked at."""
    owned: list[ObjectMeta] = []
    scanned = 0
    try:
        async for page in metadata_pages(client, resource, ListQuery(namespace), deadline=deadline):
            scanned += len(page.items)
            owned += [item.metadata for item in page.items if item.metadata.owner_references]
            if scanned >= MOST_SCANNED and page.cursor:
                return owned, "", False
    except ToolError as error:
        if error.code in {"timeout", "unreachable", "unauthorized"}:
            raise
        return owned, f"{resource.display}: {error.code}", False
    return owned, "", True


def _walk(uids: Sequence[str], by_owner: dict[str, list[tuple[Resource, ObjectMeta]]]) -> list[Descendant]:
    found: list[Descendant] = []
    seen = set(uids)
    level = list(uids)
    for depth in range(1, DEEPEST + 1):
        below: list[str] = []
        for parent in level:
            for resource, meta in by_owner.get(parent, ()):
                if meta.uid not in seen:
                    seen.add(meta.uid)
                    below.append(meta.uid)
                    found.append(Descendant(resource, meta, parent, depth))
        level = below
    return found
