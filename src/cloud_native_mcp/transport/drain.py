"""Ending without breaking calls: once draining, work in flight goes on and new work is sent elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.transport.reply import reply_text

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

RETRY_AFTER_SECONDS: Final = b"5"
_ALWAYS: Final = frozenset({"/livez", "/readyz", "/health", "/metrics"})


class Drain:
    """Whether the server is ending, and the work still in flight (calls, and requests that post a message).

    A piece of work is done inside ``with drain:``; pieces overlap and nest.
    """

    def __init__(self) -> None:
        self.draining = False
        self._work = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self) -> None:
        """From now on the server is not ready. Safe to call from a signal handler."""
        self.draining = True

    @property
    def in_flight(self) -> int:
        """Pieces of work not finished yet."""
        return self._work

    def __enter__(self) -> None:
        """A piece of work begins."""
        self._work += 1
        self._idle.clear()

    def __exit__(self, *_: object) -> None:
        """It has ended, one way or another."""
        self._work -= 1
        if not self._work:
            self._idle.set()

    async def idle(self, seconds: float) -> bool:
        """Wait until nothing is in flight; False when that took longer than ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


class DrainGate:
    """ASGI: counts requests in flight, and answers 503 with Retry-After once draining."""

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self._app = app
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in _ALWAYS:
            return await self._app(scope, receive, send)
        if self._drain.draining:
            headers = [(b"retry-after", RETRY_AFTER_SECONDS), (b"connection", b"close")]
            return await reply_text(send, 503, "shutting down; use another node or try again", headers=headers)
        if scope["method"] != "POST":  # streams of sessions end when told, not by themselves
            return await self._app(scope, receive, send)
        with self._drain:
            return await self._app(scope, receive, send)
