"""Callers that go away: their calls end."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.promises import promise
from tests.transport.sample_door import SampleDoor
from tests.transport.serving import Running, eventually, serving
from tests.transport.sessions import SseClient, Stream, notification, open_session
from tests.transport.wire import ALPHA, SECONDS, head, headers_for, legacy_call, modern_call, post

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.transport.wire import Json


@pytest.fixture
def door() -> SampleDoor:
    return SampleDoor()


@pytest.fixture(params=[True, False], ids=["fast", "library"])
def server(door: SampleDoor, request: pytest.FixtureRequest) -> Generator[Running]:
    with serving(door, fast_path=request.param) as running:
        yield running


@pytest.fixture
def sessions(door: SampleDoor) -> Generator[Running]:
    with serving(door, legacy="sessions") as running:
        yield running


def _begin(server: Running, message: Json) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
    body = json.dumps(message).encode()
    connection.sendall(head(server, **{**headers_for(message), "content-length": str(len(body))}) + body)
    return connection


@promise("T1")
@pytest.mark.parametrize("call", [modern_call, legacy_call])
def test_a_call_ends_when_its_caller_goes_away(server: Running, door: SampleDoor, call: object) -> None:
    message = modern_call("alpha_wait") if call is modern_call else legacy_call("alpha_wait")
    for usual in (modern_call("alpha_echo"), legacy_call("alpha_echo")):
        assert post(server, usual).status == 200
    before = server.tasks()
    connection = _begin(server, message)
    assert door.waiting.wait(SECONDS)
    connection.close()
    assert door.cancelled.wait(SECONDS)
    assert eventually(lambda: server.tasks() <= before)
    assert server.app.drain.in_flight == 0


@promise("T1")
@pytest.mark.parametrize(
    "message", [modern_call("alpha_slow", progressToken="p"), legacy_call("alpha_slow", progressToken="p")]
)
def test_a_call_ends_when_its_caller_goes_away_after_progress(server: Running, door: SampleDoor, message: Json) -> None:
    connection = _begin(server, message)
    received = b""
    while b"notifications/progress" not in received:
        received += connection.recv(4096)
    assert door.waiting.wait(SECONDS)
    connection.close()
    assert door.cancelled.wait(SECONDS)
    assert eventually(lambda: server.app.drain.in_flight == 0)


@promise("T1")
def test_a_call_ends_when_the_sse_stream_of_its_caller_closes(server: Running, door: SampleDoor) -> None:
    client = SseClient(server)
    client.send(legacy_call("alpha_wait"))
    assert door.waiting.wait(SECONDS)
    client.close()
    assert door.cancelled.wait(SECONDS)
    assert eventually(lambda: server.sessions() == 0)


@promise("T1")
def test_a_call_over_sse_ends_when_its_caller_cancels_it(server: Running, door: SampleDoor) -> None:
    with SseClient(server) as client:
        client.send(legacy_call("alpha_wait", request_id=7))
        assert door.waiting.wait(SECONDS)
        client.send(notification("notifications/cancelled", {"requestId": 7}))
        assert door.cancelled.wait(SECONDS)
        client.send(legacy_call("alpha_echo", {"text": "next"}, request_id=8))
        assert client.message()["id"] == 8


@promise("T1")
def test_a_call_in_a_session_outlives_its_connection_and_ends_when_cancelled(
    sessions: Running, door: SampleDoor
) -> None:
    named = open_session(sessions)
    stream = Stream(sessions, ALPHA, legacy_call("alpha_wait", request_id=7), **named)
    assert stream.status() == 200
    assert door.waiting.wait(SECONDS)
    stream.close()
    assert post(sessions, legacy_call("alpha_echo", {"text": "x"}, request_id=8), headers=named).text == "x"
    assert not door.cancelled.is_set()
    post(sessions, notification("notifications/cancelled", {"requestId": 7}), headers=named)
    assert door.cancelled.wait(SECONDS)


@promise("T1")
def test_a_cancelled_call_in_a_session_is_answered_as_cancelled(sessions: Running, door: SampleDoor) -> None:
    named = open_session(sessions)
    with Stream(sessions, ALPHA, legacy_call("alpha_wait", request_id=7), **named) as stream:
        assert door.waiting.wait(SECONDS)
        post(sessions, notification("notifications/cancelled", {"requestId": 7}), headers=named)
        assert door.cancelled.wait(SECONDS)
        assert stream.message()["error"]["code"] == -32800


def test_progress_comes_before_the_result(server: Running) -> None:
    for message in (modern_call("alpha_steps", progressToken=5), legacy_call("alpha_steps", progressToken=5)):
        answer = post(server, message)
        assert answer.headers["content-type"].startswith("text/event-stream")
        notices = [notice["params"] for notice in answer.messages[:-1]]
        assert [(notice["progressToken"], notice["progress"]) for notice in notices] == [(5, 1), (5, 2), (5, 3)]
        assert answer.text == "done"
