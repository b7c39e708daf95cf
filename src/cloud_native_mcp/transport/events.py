"""Events of one session's streams, kept for a client that comes back with ``Last-Event-ID``."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from mcp.server.streamable_http import EventCallback, EventMessage, EventStore

if TYPE_CHECKING:
    from mcp_types import JSONRPCMessage

MAX_EVENTS: Final = 256
MAX_BYTES: Final = 262_144


class _Event(NamedTuple):
    number: int
    stream: str
    message: JSONRPCMessage | None
    size: int


class SessionEvents(EventStore):
    """The newest events of one session, bounded in number and bytes.

    Every session has its own: stream ids are request ids, which different sessions share.
    """

    def __init__(self) -> None:
        self._events: deque[_Event] = deque()
        self._last = 0
        self._bytes = 0

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        """Keep an event (None marks the start of a stream) and forget the oldest beyond the bounds."""
        self._last += 1
        size = len(message.model_dump_json(by_alias=True, exclude_unset=True)) if message is not None else 0
        self._events.append(_Event(self._last, stream_id, message, size))
        self._bytes += size
        while len(self._events) > MAX_EVENTS or (self._bytes > MAX_BYTES and len(self._events) > 1):
            self._bytes -= self._events.popleft().size
        return str(self._last)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Send what followed that event on its stream; None when the event is unknown or already forgotten."""
        known = next((event for event in self._events if str(event.number) == last_event_id), None)
        if known is None:
            return None
        for event in list(self._events):
            if event.number > known.number and event.stream == known.stream and event.message is not None:
                await send_callback(EventMessage(event.message, str(event.number)))
        return known.stream
