"""Events of a session, kept within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_types import JSONRPCNotification

from cloud_native_mcp.transport.events import MAX_BYTES, MAX_EVENTS, SessionEvents

if TYPE_CHECKING:
    from mcp.server.streamable_http import EventMessage


def _notice(text: str) -> JSONRPCNotification:
    return JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params={"text": text})


async def _replayed(events: SessionEvents, after: str) -> tuple[str | None, list[str]]:
    got: list[str] = []

    async def take(event: EventMessage) -> None:
        assert isinstance(event.message, JSONRPCNotification)
        assert event.message.params is not None
        got.append(str(event.message.params["text"]))

    return await events.replay_events_after(after, take), got


async def test_only_later_events_of_the_same_stream_are_replayed() -> None:
    events = SessionEvents()
    start = await events.store_event("a", None)
    last = start
    for stream, text in (("a", "one"), ("b", "other"), ("a", "two")):
        last = await events.store_event(stream, _notice(text))
    assert await _replayed(events, start) == ("a", ["one", "two"])
    assert await _replayed(events, last) == ("a", [])


async def test_the_oldest_events_are_forgotten_and_a_client_behind_them_is_told_nothing() -> None:
    events = SessionEvents()
    first = await events.store_event("a", _notice("first"))
    for number in range(MAX_EVENTS):
        await events.store_event("a", _notice(str(number)))
    assert await _replayed(events, first) == (None, [])


async def test_the_bytes_kept_are_bounded_too() -> None:
    events = SessionEvents()
    first = last = await events.store_event("a", None)
    for _ in range(3):
        last = await events.store_event("a", _notice("x" * (MAX_BYTES // 2)))
    assert await _replayed(events, first) == (None, [])
    assert await _replayed(events, last) == ("a", [])


async def test_an_unknown_event_replays_nothing() -> None:
    assert await _replayed(SessionEvents(), "no such event") == (None, [])
