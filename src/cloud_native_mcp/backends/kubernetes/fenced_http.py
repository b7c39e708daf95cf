"""The last hop before the network: every request to an API server passes here, and the operator's fence with it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ListMeta, PartialObject
from cloud_native_mcp.backends.kubernetes.reach import UnreadableAddressError, reaches
from cloud_native_mcp.backends.kubernetes.status import raise_for_status
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.fence import Fence
    from cloud_native_mcp.backends.kubernetes.reach import Reach
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import (
        HttpClient,
        HttpResponse,
        HttpSocket,
        HttpStream,
        HttpTarget,
        RequestHeaders,
    )

NAMESPACES: Final = "/api/v1/namespaces"
_METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
_PAGE: Final = 500
_MAX_BYTES: Final = 64_000_000


class _Names(msgspec.Struct):
    items: list[PartialObject] = []
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


class FencedHttp:
    """Implements `contract.http.HttpClient`: requests that the fence lets through go on as they are.

    Args:
        inner: sends them.
        fence: of the call that runs now.
        outside: whether a resource (group, plural) is known to be outside namespaces; what is not known to be is taken
            for one whose collections span all of them.

    Every method raises `FenceError` before anything is sent, and otherwise what ``inner`` raises.
    """

    def __init__(
        self, inner: HttpClient, fence: Callable[[], Fence], *, target: HttpTarget, outside: Callable[[str, str], bool]
    ) -> None:
        self._inner = inner
        self._fence = fence
        self._target = target
        self._outside = outside

    async def request(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        params: Sequence[tuple[str, str]] = (),
        headers: RequestHeaders | None = None,
        body: bytes | None = None,
        read: bool | None = None,
        max_bytes: int = _MAX_BYTES,
    ) -> HttpResponse:
        """As `HttpClient.request`."""
        self._check(method, path, params, headers)
        return await self._inner.request(
            method, path, deadline=deadline, params=params, headers=headers, body=body, read=read, max_bytes=max_bytes
        )

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        params: Sequence[tuple[str, str]] = (),
        headers: RequestHeaders | None = None,
        body: bytes | None = None,
        read: bool | None = None,
        max_bytes: int = _MAX_BYTES,
    ) -> AsyncGenerator[HttpStream]:
        """As `HttpClient.stream`."""
        self._check(method, path, params, headers)
        async with self._inner.stream(
            method, path, deadline=deadline, params=params, headers=headers, body=body, read=read, max_bytes=max_bytes
        ) as stream:
            yield stream

    @contextlib.asynccontextmanager
    async def socket(
        self,
        path: str,
        *,
        deadline: Deadline,
        protocols: Sequence[str],
        params: Sequence[tuple[str, str]] = (),
        headers: RequestHeaders | None = None,
        read: bool = False,
    ) -> AsyncGenerator[HttpSocket]:
        """As `HttpClient.socket`."""
        self._check("GET", path, params, headers)
        async with self._inner.socket(
            path, deadline=deadline, protocols=protocols, params=params, headers=headers, read=read
        ) as socket:
            yield socket

    def spans(self, reach: Reach) -> bool:
        """Whether it reaches objects of all namespaces at once."""
        return reach.spans and (reach.of_namespaces or not self._outside(reach.group, reach.plural))

    async def namespaces(self, deadline: Deadline) -> list[str]:
        """Names of all namespaces: the one look beyond the fence, to know which of them its patterns mean.

        Raises:
            KubernetesError: ``forbidden`` when this server's account may not list them.
        """
        names: list[str] = []
        cursor = ""
        while True:
            params = [("limit", str(_PAGE)), *([("continue", cursor)] if cursor else [])]
            response = await self._inner.request(
                "GET", NAMESPACES, deadline=deadline, params=params, headers={"Accept": _METADATA_LIST}
            )
            raise_for_status(response, what="list namespaces", target=self._target)
            page = decode_json(response, _Names, what="list namespaces", target=self._target)
            names += [item.metadata.name for item in page.items]
            cursor = page.metadata.continue_
            if not cursor:
                return names

    def _check(self, method: str, path: str, params: Sequence[tuple[str, str]], headers: RequestHeaders | None) -> None:
        fence = self._fence()
        if fence.open:
            return
        try:
            needed = reaches(method, path, params, content=str((headers or {}).get("Content-Type", "")))
        except UnreadableAddressError as error:
            raise fence.refusal(f"{method} {path[:80]!a}, which is no address of objects,") from error
        for reach in needed:
            fence.check(reach, spans=self.spans(reach))
