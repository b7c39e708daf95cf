"""Lists over all namespaces inside a fence: the namespaces it lets through, one after the other, as pages of one list.

The order stays the API's (namespace, then name). A cursor is ``namespace/token``: the namespace to go on in, and the
API's continue token there, empty at its beginning; a token never holds a slash.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from cloud_native_mcp.backends.kubernetes.fence import stand_for_others
from cloud_native_mcp.backends.kubernetes.reach import reaches
from cloud_native_mcp.contract.together import together

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.lists import ListQuery
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

AT_ONCE: Final = 8
"""Namespaces asked at the same time, once one alone did not fill the page."""


class HasCursor(Protocol):
    """A page of a list."""

    @property
    def cursor(self) -> str:
        """Where to go on; empty on the last page."""
        ...


PageT = TypeVar("PageT", bound=HasCursor)


async def allowed_namespaces(
    client: KubernetesClient, resource: Resource, query: ListQuery, *, deadline: Deadline
) -> list[str] | None:
    """The namespaces to list one by one in place of all at once, in order; None when the request may go as it is.

    None too when it may not go at all: then the last hop says why.
    """
    if client.fence.open or query.whole or (resource.namespaced and query.namespace):
        return None
    (reach,) = reaches("GET", resource.path(), query.params())
    if not client.http.spans(reach) or client.fence.admits(reach, spans=True):
        return None
    patterns = client.fence.patterns(reach)
    if stand_for_others(patterns):
        patterns = await client.http.namespaces(deadline)
    return client.fence.inside(reach, patterns) or None


async def walk(
    namespaces: Sequence[str],
    resource: Resource,
    query: ListQuery,
    fetch: Callable[[ListQuery], Coroutine[object, object, PageT]],
    *,
    size: Callable[[PageT], int],
) -> tuple[list[PageT], str]:
    """The pages, one of each namespace in order, that together hold at most ``query.limit`` items, and the cursor.

    There are none when the cursor lies behind the last namespace.

    Args:
        fetch: one page of one namespace.
        size: how many items a page holds.
    """
    start, _, token = query.cursor.partition("/")
    left = [name for name in namespaces if name >= start]
    pages: list[PageT] = []
    room, at_once = query.limit, 1
    while left and room > 0:
        names, left = left[:at_once], left[at_once:]
        asked = [_inside(resource, query, name, limit=room, cursor=token if name == start else "") for name in names]
        for name, page in zip(names, await together(*(fetch(one) for one in asked)), strict=True):
            if pages and size(page) > room:  # some APIs ignore the limit: what comes first is taken anyhow
                return pages, f"{name}/"
            pages.append(page)
            room -= size(page)
            if page.cursor:
                return pages, f"{name}/{page.cursor}"
        at_once = AT_ONCE
    return pages, await _next_with_items(left, resource, query, fetch, size)


async def _next_with_items(
    namespaces: Sequence[str],
    resource: Resource,
    query: ListQuery,
    fetch: Callable[[ListQuery], Coroutine[object, object, PageT]],
    size: Callable[[PageT], int],
) -> str:
    """The cursor of the first namespace that has items, so that no cursor leads to an empty page."""
    for first in range(0, len(namespaces), AT_ONCE):
        names = namespaces[first : first + AT_ONCE]
        asked = [_inside(resource, query, name, limit=1, cursor="") for name in names]
        for name, page in zip(names, await together(*(fetch(one) for one in asked)), strict=True):
            if size(page):
                return f"{name}/"
    return ""


def _inside(resource: Resource, query: ListQuery, namespace: str, *, limit: int, cursor: str) -> ListQuery:
    """The query within one namespace; a list of the Namespaces themselves is narrowed to that one."""
    narrowed = replace(query, limit=limit, cursor=cursor)
    if resource.namespaced:
        return replace(narrowed, namespace=namespace)
    only = f"metadata.name={namespace}"
    return replace(narrowed, field_selector=f"{query.field_selector},{only}" if query.field_selector else only)
