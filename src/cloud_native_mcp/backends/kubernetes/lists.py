"""Lists of objects, page by page.

A list never asks for ``resourceVersion=0``: API servers then ignore the limit, and may leave out what was just created.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec

from cloud_native_mcp.backends.kubernetes.confined_lists import allowed_namespaces, walk
from cloud_native_mcp.backends.kubernetes.meta import ListMeta, PartialObject
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

PAGE_SIZE: Final = 500
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What to list: one namespace or (None) all, selectors, and where to go on (the cursor of the page before).

    ``whole``: of all namespaces or not at all. Else a list over all of them holds those that the fence lets through.
    """

    namespace: str | None = None
    label_selector: str = ""
    field_selector: str = ""
    limit: int = PAGE_SIZE
    cursor: str = ""
    whole: bool = False

    def params(self) -> list[tuple[str, str]]:
        """Query parameters of the request."""
        if self.limit < 1:
            raise ValueError("a limit below 1 asks for everything")
        params = [("limit", str(self.limit))]
        if self.cursor:
            params.append(("continue", self.cursor))
        if self.label_selector:
            params.append(("labelSelector", self.label_selector))
        if self.field_selector:
            params.append(("fieldSelector", self.field_selector))
        return params

    def after(self, cursor: str) -> ListQuery:
        """The same query, going on there."""
        return replace(self, cursor=cursor)


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """One page. ``cursor`` is empty on the last one; ``remaining`` is unknown when a selector was given."""

    items: Sequence[ItemT]
    cursor: str
    remaining: int | None
    resource_version: str


class _List(msgspec.Struct, Generic[ItemT]):
    items: list[ItemT] | None = None
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


async def list_page(
    client: KubernetesClient, resource: Resource, query: ListQuery, *, item: type[ItemT], deadline: Deadline
) -> Page[ItemT]:
    """One page of full objects, each decoded as the struct ``item`` with only the fields it names.

    Raises:
        KubernetesError: ``expired_cursor`` when the page is no longer available, ``invalid_selector``, ``forbidden``, …
    """
    return await _page(client, resource, query, item, deadline, "application/json")


async def metadata_page(
    client: KubernetesClient, resource: Resource, query: ListQuery, *, deadline: Deadline
) -> Page[PartialObject]:
    """One page of metadata."""
    return await _page(client, resource, query, PartialObject, deadline, METADATA_LIST)


async def list_pages(
    client: KubernetesClient, resource: Resource, query: ListQuery, *, item: type[ItemT], deadline: Deadline
) -> AsyncIterator[Page[ItemT]]:
    """All pages to the end; the caller stops when it has seen enough."""
    while True:
        page = await list_page(client, resource, query, item=item, deadline=deadline)
        yield page
        if not page.cursor:
            return
        query = query.after(page.cursor)


async def metadata_pages(
    client: KubernetesClient, resource: Resource, query: ListQuery, *, deadline: Deadline
) -> AsyncIterator[Page[PartialObject]]:
    """All pages of metadata to the end."""
    while True:
        page = await metadata_page(client, resource, query, deadline=deadline)
        yield page
        if not page.cursor:
            return
        query = query.after(page.cursor)


async def _page(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    item: type[ItemT],
    deadline: Deadline,
    accept: str,
) -> Page[ItemT]:
    namespaces = await allowed_namespaces(client, resource, query, deadline=deadline)
    if namespaces is None:
        return await _requested(client, resource, query, item, deadline, accept)

    async def fetch(inside: ListQuery) -> Page[ItemT]:
        return await _requested(client, resource, inside, item, deadline, accept)

    pages, cursor = await walk(namespaces, resource, query, fetch, size=lambda page: len(page.items))
    return Page(
        [one for page in pages for one in page.items], cursor, None, pages[-1].resource_version if pages else ""
    )


async def _requested(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    item: type[ItemT],
    deadline: Deadline,
    accept: str,
) -> Page[ItemT]:
    what = list_words(resource, query)
    path = resource.path(namespace=query.namespace)
    response = await client.read(resource, path, what=what, deadline=deadline, params=query.params(), accept=accept)
    listed = decode_json(response, _List[item], what=what, target=client.target)
    meta = listed.metadata
    return Page(listed.items or [], meta.continue_, meta.remaining_item_count, meta.resource_version)


def list_words(resource: Resource, query: ListQuery) -> str:
    """How error texts name a list."""
    if not resource.namespaced:
        return f"list {resource.display}"
    return f"list {resource.display} in {query.namespace or 'all namespaces'}"
