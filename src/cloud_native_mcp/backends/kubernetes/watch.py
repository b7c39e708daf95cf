"""Objects as they change: a list, then a watch from its version, and a list again where the watch breaks off.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages, list_words
from cloud_native_mcp.contract.json_values import as_dict, as_int, as_str, dig
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

    Objects = dict[str, dict[str, object]]

MAX_BYTES: Final = 256_000_000
"""Of all events of one watch; it is opened again after that."""
_PAUSE_S: Final = 1.0
"""Between a broken watch and the next request, so that a cluster in trouble is not hammered."""
_DECODE: Final = msgspec.json.Decoder(dict[str, object]).decode


class _Gone(Exception):
    """The version the watch started from is too old: list again."""


async def follow(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    *,
    deadline: Deadline,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Objects]:
    """The selected objects by uid: once as they are, then after every change of one of them, until the caller stops.

    Args:
        query: what to follow; its ``limit`` is the size of a page.
        pause: waits that many seconds after a break.

    Raises:
        BackendError: listing failed, watching is refused, or the deadline passed.
    """
    while True:
        objects, version = await _listed(client, resource, query, deadline)
        yield objects
        try:
            while True:
                async with contextlib.aclosing(_events(client, resource, query, version, deadline)) as events:
                    async for event in events:
                        version = as_str(dig(event, "object", "metadata", "resourceVersion")) or version
                        if _take(event, objects):
                            yield objects
                await pause(_PAUSE_S)
        except _Gone:
            await pause(_PAUSE_S)


async def _listed(
    client: KubernetesClient, resource: Resource, query: ListQuery, deadline: Deadline
) -> tuple[Objects, str]:
    objects: Objects = {}
    version = ""
    async for page in list_pages(client, resource, query, item=dict[str, object], deadline=deadline):
        objects |= {_uid(item): item for item in page.items}
        version = page.resource_version
    return objects, version


async def _events(
    client: KubernetesClient, resource: Resource, query: ListQuery, version: str, deadline: Deadline
) -> AsyncGenerator[dict[str, object]]:
    """The events of one watch, until the server ends it or the connection breaks."""
    selection = [pair for pair in query.params() if pair[0] not in {"limit", "continue"}]
    params = [
        ("watch", "1"),
        ("allowWatchBookmarks", "true"),
        ("resourceVersion", version),
        ("timeoutSeconds", str(max(1, math.ceil(deadline.remaining)))),
        *selection,
    ]
    path = resource.path(namespace=query.namespace)
    what = list_words(resource, query).replace("list", "watch", 1)
    try:
        async with client.stream(
            path, what=what, deadline=deadline, params=params, accept="application/json", max_bytes=MAX_BYTES
        ) as parts:
            async for line in _lines(parts):
                event = _DECODE(line)
                if event.get("type") == "ERROR":
                    _raise_event_error(event, what)
                yield event
    except msgspec.DecodeError:
        return
    except BackendError as error:
        if error.status == HTTPStatus.GONE:
            raise _Gone from error
        if error.status is not None or error.code in {"timeout", DENIED}:
            raise


def _raise_event_error(event: dict[str, object], what: str) -> None:
    code = as_int(dig(event, "object", "code"))
    if code == HTTPStatus.GONE:
        raise _Gone
    raise BackendError("backend_error", f"{what}: {as_str(dig(event, 'object', 'message'))[:300]}", status=code or 500)


async def _lines(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines; what follows the last newline of a cut stream is dropped."""
    rest = b""
    async for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if line.strip():
                yield line


def _take(event: dict[str, object], objects: Objects) -> bool:
    """Bring the objects up to date; whether one of them changed."""
    changed = as_dict(event.get("object"))
    match event.get("type"):
        case "ADDED" | "MODIFIED":
            objects[_uid(changed)] = changed
            return True
        case "DELETED":
            return objects.pop(_uid(changed), None) is not None
        case _:
            return False


def _uid(item: dict[str, object]) -> str:
    return as_str(dig(item, "metadata", "uid"))
