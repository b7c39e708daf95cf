"""The HTTP+SSE transport of 2024-11-05 at one endpoint: a stream, and a path to post messages to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.server.sse import SseServerTransport
from mcp_types import DEFAULT_NEGOTIATED_VERSION

from cloud_native_mcp.transport.body import BodyRefused, ClientGone, read_body, refuse_body
from cloud_native_mcp.transport.drain import RETRY_AFTER_SECONDS
from cloud_native_mcp.transport.frame import check_content_type, read_message, routing_fields
from cloud_native_mcp.transport.refusal import Refused
from cloud_native_mcp.transport.reply import reply_text
from cloud_native_mcp.transport.sessions import bind_user

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import WriteStream
    from mcp.shared.message import SessionMessage
    from starlette.types import Message, Receive, Scope, Send

    from cloud_native_mcp.transport.endpoint import Endpoint


class SseDoor:
    """Both paths of one endpoint. A stream is a connection of its own, so list changes are announced on it."""

    def __init__(self, endpoint: Endpoint, *, messages_path: str, max_body_bytes: int, body_timeout_s: float) -> None:
        self._endpoint = endpoint
        self._transport = SseServerTransport(messages_path, max_request_body_size=max_body_bytes)
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s
        self._open: set[WriteStream[SessionMessage]] = set()

    @property
    def open_streams(self) -> int:
        """Streams open now."""
        return len(self._open)

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: one client's stream, until it goes away or the server ends."""
        if scope["method"] != "GET":
            return await reply_text(send, 405, "use GET", headers=[(b"allow", b"GET")])
        if len(self._open) >= self._endpoint.sessions.most:
            return await reply_text(send, 503, "too many open streams", headers=[(b"retry-after", RETRY_AFTER_SECONDS)])
        _mark(scope)
        server = self._endpoint.server
        async with self._transport.connect_sse(scope, receive, send) as (incoming, outgoing):
            self._open.add(outgoing)
            try:
                await server.run(incoming, outgoing, server.streaming_options())
            finally:
                self._open.discard(outgoing)
        return None

    async def messages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: one message of a client with an open stream."""
        if scope["method"] != "POST":
            return await reply_text(send, 405, "use POST", headers=[(b"allow", b"POST")])
        try:
            check_content_type(routing_fields(scope["headers"]))
            raw = await read_body(receive, limit=self._max_body_bytes, seconds=self._body_timeout_s)
            read_message(raw, DEFAULT_NEGOTIATED_VERSION)
        except Refused as refusal:
            return await refusal.send(send)
        except BodyRefused as refusal:
            return await refuse_body(receive, send, refusal)
        except ClientGone:
            return None
        unread: list[Message] = [{"type": "http.request", "body": raw, "more_body": False}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        _mark(scope)
        return await self._transport.handle_post_message(scope, replay, send)

    async def close(self) -> None:
        """End all streams in order."""
        for stream in list(self._open):
            await stream.aclose()


def _mark(scope: Scope) -> None:
    scope.setdefault("state", {})["door"] = "sse"
    bind_user(scope)
