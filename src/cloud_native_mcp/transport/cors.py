"""CORS for browser clients. Runs behind the guard, so an Origin seen here is an allowed one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.transport.headers import RawHeaders, first

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cloud_native_mcp.transport.reply import Header

_EXPOSED: Final = b"Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After"
_METHODS: Final = b"GET, POST, DELETE, OPTIONS"
_TOKENS: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+( *, *[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")
_PREFLIGHT_SECONDS: Final = b"600"


class Cors:
    """ASGI: answers preflights and lets allowed pages read every answer, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = cast("RawHeaders", scope["headers"])
        origin = first(headers, b"origin")
        if origin is None:
            return await self._app(scope, receive, send)
        allow: list[Header] = [(b"access-control-allow-origin", origin.strip()), (b"vary", b"Origin")]
        if scope["method"] == "OPTIONS" and first(headers, b"access-control-request-method") is not None:
            return await _preflight(send, headers, allow)
        allow.append((b"access-control-expose-headers", _EXPOSED))

        async def send_exposed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *allow]
            await send(message)

        return await self._app(scope, receive, send_exposed)


async def _preflight(send: Send, headers: RawHeaders, allow: list[Header]) -> None:
    asked = first(headers, b"access-control-request-headers")
    if asked is not None and _TOKENS.fullmatch(asked.strip()):
        allow.append((b"access-control-allow-headers", asked.strip()))
    allow.extend([(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _PREFLIGHT_SECONDS)])
    await send({"type": "http.response.start", "status": 204, "headers": allow})
    await send({"type": "http.response.body", "body": b""})
