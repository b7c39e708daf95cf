"""The last hop of requests that are sent as another user.

https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from cloud_native_mcp.backends.kubernetes.impersonation import Identity
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpClient, HttpResponse, HttpSocket, HttpStream, RequestHeaders

_MAX_BYTES: Final = 64_000_000
_PREFIX: Final = "impersonate-"


class ActingHttp:
    """Implements `contract.http.HttpClient`: every request goes on as that user, whatever its headers say."""

    def __init__(self, inner: HttpClient, identity: Identity) -> None:
        self._inner = inner
        self._acting: RequestHeaders = identity.headers

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
        return await self._inner.request(
            method,
            path,
            deadline=deadline,
            params=params,
            headers=self._with(headers),
            body=body,
            read=read,
            max_bytes=max_bytes,
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
        async with self._inner.stream(
            method,
            path,
            deadline=deadline,
            params=params,
            headers=self._with(headers),
            body=body,
            read=read,
            max_bytes=max_bytes,
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
        async with self._inner.socket(
            path, deadline=deadline, protocols=protocols, params=params, headers=self._with(headers), read=read
        ) as socket:
            yield socket

    def _with(self, headers: RequestHeaders | None) -> RequestHeaders:
        kept = {name: value for name, value in (headers or {}).items() if not name.lower().startswith(_PREFIX)}
        return {**kept, **self._acting}
