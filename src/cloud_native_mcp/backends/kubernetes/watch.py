"""Objects as they change: a list, then a watch from its version, and a list again where the watch breaks off.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages, list_words
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta, PartialObject
from cloud_native_mcp.backends.kubernetes.status import Status
from cloud_native_mcp.contract.json_values import as_str, dig
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
_GRACE_S: Final = 10.0
ItemT = TypeVar("ItemT")


class _Gone(Exception):
    """The version the watch started from is too old: list again."""


class _Event(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw = msgspec.Raw(b"{}")


_DECODE: Final = msgspec.json.Decoder(_Event).decode
_HEAD: Final = msgspec.json.Decoder(PartialObject).decode


def follow(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    *,
    deadline: Deadline,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Objects]:
    """The selected objects as plain dicts; see `follow_as`."""
    return follow_as(client, resource, query, dict[str, object], deadline=deadline, pause=pause)


async def follow_as(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    item: type[ItemT],
    *,
    deadline: Deadline,
    window: float = math.inf,
    grace: float = _GRACE_S,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[dict[str, ItemT]]:
    """The selected objects by uid: once as they are, then after every change of one of them, until the caller stops.

    Args:
        query: what to follow; its ``limit`` is the size of a page.
        item: the shape of an object: a plain dict, or a struct with metadata.
        window: seconds after which a watch is opened anew, so that one that fell silent is found out; a list may take
            as long.
        grace: seconds after the end of a window, for the server to end the watch by itself.
        pause: waits that many seconds after a break.

    Raises:
        BackendError: listing failed, watching is refused, or the deadline passed.
    """
    decode = msgspec.json.Decoder(item).decode
    while True:
        objects, version = await _listed(client, resource, query, item, _within(deadline, window + grace))
        yield objects
        try:
            while True:
                async with contextlib.aclosing(
                    _events(client, resource, query, version, deadline, window, grace)
                ) as events:
                    async for event in events:
                        head = _HEAD(event.object).metadata
                        version = head.resource_version or version
                        if _take(event, head.uid, objects, decode):
                            yield objects
                await pause(_PAUSE_S)
        except (_Gone, msgspec.DecodeError):
            await pause(_PAUSE_S)


async def _listed(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    item: type[ItemT],
    deadline: Deadline,
) -> tuple[dict[str, ItemT], str]:
    objects: dict[str, ItemT] = {}
    version = ""
    async for page in list_pages(client, resource, query, item=item, deadline=deadline):
        objects |= {_uid(one): one for one in page.items}
        version = page.resource_version
    return objects, version


async def _events(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    version: str,
    deadline: Deadline,
    window: float,
    grace: float,
) -> AsyncGenerator[_Event]:
    """The events of one watch, until the server ends it, the window is over, or the connection breaks."""
    limit = _within(deadline, window + grace)
    selection = [pair for pair in query.params() if pair[0] not in {"limit", "continue"}]
    params = [
        ("watch", "1"),
        ("allowWatchBookmarks", "true"),
        ("resourceVersion", version),
        ("timeoutSeconds", str(max(1, math.ceil(min(window, deadline.remaining))))),
        *selection,
    ]
    path = resource.path(namespace=query.namespace)
    what = list_words(resource, query).replace("list", "watch", 1)
    try:
        async with client.stream(
            path, what=what, deadline=limit, params=params, accept="application/json", max_bytes=MAX_BYTES
        ) as parts:
            async for line in _lines(parts):
                event = _DECODE(line)
                if event.type == "ERROR":
                    _raise_event_error(event, what)
                yield event
    except msgspec.DecodeError:
        return
    except BackendError as error:
        if error.status == HTTPStatus.GONE:
            raise _Gone from error
        silent = error.code == "timeout" and error.status is None and window < math.inf and deadline.remaining > 0
        if not silent and (error.status is not None or error.code in {"timeout", DENIED}):
            raise


def _within(deadline: Deadline, window: float) -> Deadline:
    """The deadline, or the end of a window."""
    return deadline.sooner(window) if window < math.inf else deadline


def _raise_event_error(event: _Event, what: str) -> None:
    status = msgspec.json.decode(event.object, type=Status)
    if status.code == HTTPStatus.GONE:
        raise _Gone
    raise BackendError("backend_error", f"{what}: {status.message[:300]}", status=status.code or 500)


async def _lines(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines; what follows the last newline of a cut stream is dropped."""
    rest = b""
    async for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if line.strip():
                yield line


def _take(event: _Event, uid: str, objects: dict[str, ItemT], decode: Callable[[msgspec.Raw], ItemT]) -> bool:
    """Bring the objects up to date; whether one of them changed."""
    match event.type:
        case "ADDED" | "MODIFIED":
            objects[uid] = decode(event.object)
            return True
        case "DELETED":
            return objects.pop(uid, None) is not None
        case _:
            return False


def _uid(item: object) -> str:
    metadata = getattr(item, "metadata", None)
    return metadata.uid if isinstance(metadata, ObjectMeta) else as_str(dig(item, "metadata", "uid"))
