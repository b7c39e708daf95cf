"""Bounds on request bodies: refused before they are read, and never held beyond the limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.errors import CnmcpError
from cloud_native_mcp.transport.headers import RawHeaders, first

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

DISCARD_BYTES: Final = 16_777_216
DISCARD_SECONDS: Final = 2.0


class BodyRefused(CnmcpError):
    """The body cannot be used: ``status`` 413 (too large) or 408 (too slow)."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class ClientGone(CnmcpError):
    """The client went away before its body was whole; nobody is left to answer."""


class DeclaredLength:
    """ASGI: refuses a body whose declared length is over the limit, before anything of it is read."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            declared = first(cast("RawHeaders", scope["headers"]), b"content-length")
            if declared is not None and (not declared.isdigit() or int(declared[:20]) > self._limit):
                return await refuse_body(receive, send, too_large(self._limit))
        return await self._app(scope, receive, send)


def too_large(limit: int) -> BodyRefused:
    """The refusal of a body over the limit."""
    return BodyRefused(413, f"request body over {limit} bytes")


async def read_body(receive: Receive, *, limit: int, seconds: float) -> bytes:
    """The whole body.

    Raises:
        BodyRefused: over ``limit`` bytes, or not there within ``seconds``.
        ClientGone: the client went away.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _collect(receive, limit)
    except TimeoutError:
        raise BodyRefused(408, f"request body not received within {seconds:g} s") from None


async def _collect(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone("disconnected before the body was whole")
        part = cast("bytes", message.get("body", b""))
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return part if len(parts) == 1 else b"".join(parts)


async def refuse_body(receive: Receive, send: Send, refusal: BodyRefused) -> None:
    """Answer, then read on for a bounded while: closing at once would reset the connection under the answer."""
    text = f"{refusal}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": text, "more_body": True})
    if refusal.status == 413:
        await _discard(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive) -> None:
    left = DISCARD_BYTES
    try:
        async with asyncio.timeout(DISCARD_SECONDS):
            more = True
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message["type"] == "http.request" and bool(message.get("more_body"))
    except TimeoutError:
        return
