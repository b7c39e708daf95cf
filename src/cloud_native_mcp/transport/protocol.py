"""uvicorn's HTTP protocol with a bound on the size of a request's head, and a count of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

MAX_HEAD_BYTES: Final = 262_144
"""Request line and header fields together. The parser itself has no bound."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection (400) whose request head does not end within `MAX_HEAD_BYTES`."""

    _in_head = True
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then look whether the head has ended."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("Request head too large.")

    def on_message_begin(self) -> None:
        """A new head."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """The head is whole."""
        super().on_headers_complete()
        self._in_head = False


def counting_protocol(count: Callable[[int], None]) -> type[BoundedHttpProtocol]:
    """A protocol that tells ``count`` of every connection made (+1) and lost (-1)."""

    class CountingHttpProtocol(BoundedHttpProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            count(1)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            count(-1)

    return CountingHttpProtocol
