"""The answer to one call: plain JSON, or an event stream once there is something to tell before the result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.transport.reply import reply

if TYPE_CHECKING:
    from starlette.types import Send

_STREAM_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]


class Answer:
    """Sends notices while the call runs, then its outcome."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._streaming = False
        self._ended = False
        self._turn = asyncio.Lock()

    async def notice(self, message: bytes) -> None:
        """Send a notification; the first one turns the answer into a stream. Dropped after the end."""
        await self._part(_event(message))

    async def keep_alive(self) -> None:
        """Send a comment, so that no proxy on the way takes the silence for an end."""
        await self._part(b": ping\r\n\r\n")

    async def _part(self, text: bytes) -> None:
        async with self._turn:
            if self._ended:
                return
            if not self._streaming:
                self._streaming = True
                await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
            await self._send({"type": "http.response.body", "body": text, "more_body": True})

    async def end(self, message: bytes, *, status: int = 200) -> None:
        """Send the outcome. A stream has begun with status 200 whatever the outcome is."""
        async with self._turn:
            self._ended = True
            if self._streaming:
                await self._send({"type": "http.response.body", "body": _event(message), "more_body": False})
            else:
                await reply(self._send, status, message)


def _event(message: bytes) -> bytes:
    return b"event: message\r\ndata: " + message + b"\r\n\r\n"
