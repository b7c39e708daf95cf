"""uvicorn's HTTP protocol with bounds: the size of a request's head, and the time a client takes to receive."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

MAX_HEAD_BYTES: Final = 262_144
"""Request line and header fields together. The parser itself has no bound."""
WAITING_BYTES: Final = 16_384
"""What may wait in memory for a slow client before whoever writes to it has to wait."""


def _uncounted(_: int) -> None:
    """Nobody asks how many connections there are."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection (400) whose request head does not end within `MAX_HEAD_BYTES`, and cuts off slow receivers.

    Attributes:
        write_timeout_s: seconds a client may take to receive what waits for it; then it is cut off.
        count: told of every connection made (+1) and lost (-1).
    """

    write_timeout_s: ClassVar[float] = 60.0
    count: ClassVar[Callable[[int], None]] = _uncounted
    _in_head = True
    _head_bytes = 0
    _cut_off: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A client connected."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WAITING_BYTES, low=0)
        type(self).count(1)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended, one way or the other."""
        self._taken()
        super().connection_lost(exc)
        type(self).count(-1)

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

    def pause_writing(self) -> None:
        """More waits for the client than may: whoever answers it waits too, but not for ever."""
        super().pause_writing()
        self._expect_taken()

    def resume_writing(self) -> None:
        """The client took all of it."""
        super().resume_writing()
        self._taken()

    def on_response_complete(self) -> None:
        """An answer is written. A connection that ends with it still has to be taken to its last byte."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._expect_taken()

    def timeout_keep_alive_handler(self) -> None:
        """No further request came: close, though the last answer may not have been taken yet."""
        super().timeout_keep_alive_handler()
        self._expect_taken()

    def _expect_taken(self) -> None:
        if self._cut_off is None:
            self._cut_off = self.loop.call_later(self.write_timeout_s, self.transport.abort)

    def _taken(self) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
            self._cut_off = None


def http_protocol(*, write_timeout_s: float, count: Callable[[int], None] | None = None) -> type[BoundedHttpProtocol]:
    """The protocol of one server's connections (see `BoundedHttpProtocol`)."""
    bounds = {"write_timeout_s": write_timeout_s, "count": staticmethod(count or _uncounted)}
    return type("HttpProtocol", (BoundedHttpProtocol,), bounds)
