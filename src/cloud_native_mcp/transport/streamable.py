"""Streamable HTTP at one endpoint, both eras on one URL."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from mcp_types import INVALID_REQUEST

from cloud_native_mcp.transport.body import BodyRefused, ClientGone, read_body, refuse_body
from cloud_native_mcp.transport.frame import (
    MODERN,
    SESSION,
    Fields,
    Frame,
    check_accept,
    check_content_type,
    read_frame,
    routing_fields,
)
from cloud_native_mcp.transport.refusal import Refused
from cloud_native_mcp.transport.reply import reply_text
from cloud_native_mcp.transport.sessions import bind_user
from cloud_native_mcp.transport.turns import Taken, Turns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Message, Receive, Scope, Send

    from cloud_native_mcp.transport.endpoint import Endpoint
    from cloud_native_mcp.transport.fast.path import FastPath
    from cloud_native_mcp.transport.headers import RawHeaders


class Streamable:
    """ASGI: reads and checks a posted message, then takes the fast path or hands it to the protocol library."""

    def __init__(
        self, endpoint: Endpoint, *, max_body_bytes: int, body_timeout_s: float, fast: FastPath | None = None
    ) -> None:
        self._endpoint = endpoint
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s
        self._fast = fast
        self._methods = (b"POST",) if endpoint.stateless else (b"GET", b"POST", b"DELETE")
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] == "POST":
            return await self._post(scope, receive, send)
        if scope["method"].encode() not in self._methods:
            allow = b", ".join(self._methods)
            return await reply_text(send, 405, f"use {allow.decode()}", headers=[(b"allow", allow)])
        bind_user(scope)
        return await self._endpoint.manager.handle_request(scope, receive, send)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            fields = routing_fields(cast("RawHeaders", scope["headers"]))
            check_content_type(fields)
            check_accept(fields)
            raw = await read_body(receive, limit=self._max_body_bytes, seconds=self._body_timeout_s)
            frame = read_frame(raw, fields)
            if self._fast is not None and (task := self._fast.match(frame, fields)) is not None:
                return await self._fast.serve(task, scope, receive, send)
            async with self._turn(frame, fields, send) as answer:
                return await self._hand_over(raw, scope, receive, answer)
        except Refused as refusal:
            return await refusal.send(send)
        except BodyRefused as refusal:
            return await refuse_body(receive, send, refusal)
        except ClientGone:
            return None

    @asynccontextmanager
    async def _turn(self, frame: Frame, fields: Fields, send: Send) -> AsyncGenerator[Send]:
        """In a session a request's id names its stream, so of two requests of one id the second is refused."""
        session = b"" if self._endpoint.stateless or frame.version in MODERN else fields.get(SESSION, b"")
        if not session or frame.kind != "request":
            yield send
            return
        try:
            async with self._turns.take((session, str(frame.request_id)), send) as watched:
                yield watched
        except Taken:
            text = "a request of that id is in flight"
            raise Refused(400, INVALID_REQUEST, text, request_id=frame.request_id) from None

    async def _hand_over(self, raw: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Replay the message to the protocol library."""
        unread: list[Message] = [{"type": "http.request", "body": raw, "more_body": False}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        bind_user(scope)
        await self._endpoint.manager.handle_request(scope, replay, send)
