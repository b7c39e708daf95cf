"""Rules for the header fields of a request, before anything reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.transport.reply import reply_text

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

MAX_FIELDS: Final = 100
MAX_VALUE_BYTES: Final = 16_384
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_SINGLE: Final = frozenset({b"authorization", b"host", b"content-length", b"content-type", b"origin"})

RawHeaders = list[tuple[bytes, bytes]]


def first(headers: RawHeaders, name: bytes) -> bytes | None:
    """The first field of that (lower-case) name."""
    for key, value in headers:
        if key == name:
            return value
    return None


class HeaderRules:
    """ASGI: refuses (400) control characters, huge values, too many fields and repeated single-valued fields.

    Blanks around values are removed: they are no part of the value, but the HTTP parser leaves trailing ones.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = cast("RawHeaders", scope["headers"])
        if fault := _fault(headers):
            return await reply_text(send, 400, fault, headers=[(b"connection", b"close")])
        scope["headers"] = [(name, value.strip()) for name, value in headers]
        return await self._app(scope, receive, send)


def _fault(headers: RawHeaders) -> str:
    if len(headers) > MAX_FIELDS:
        return f"more than {MAX_FIELDS} header fields"
    seen: set[bytes] = set()
    for name, value in headers:
        if len(value) > MAX_VALUE_BYTES:
            return f"a header value is longer than {MAX_VALUE_BYTES} bytes"
        if name in _SINGLE:
            if name in seen:
                return f"header {name.decode('ascii')} is given more than once"
            seen.add(name)
    if _CONTROL.search(b"".join([value for _, value in headers])):
        return "a header value has a control character"
    return ""
