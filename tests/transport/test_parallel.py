"""Many requests at once, and requests that share an id."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.promises import promise
from tests.transport.sample_door import SampleDoor
from tests.transport.serving import Running, serving
from tests.transport.sessions import SseClient, Stream, open_session
from tests.transport.wire import (
    ALPHA,
    LEGACY,
    SECONDS,
    base_headers,
    head,
    headers_for,
    legacy_call,
    modern_call,
    post,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.transport.wire import Json

MANY = 1_000


@pytest.fixture
def door() -> SampleDoor:
    return SampleDoor()


@pytest.fixture(params=[{}, {"fast_path": False}, {"legacy": "sessions"}], ids=["fast", "library", "sessions"])
def server(door: SampleDoor, request: pytest.FixtureRequest) -> Generator[Running]:
    with serving(door, **request.param) as running:
        yield running


def _as_bytes(server: Running, message: Json) -> bytes:
    body = json.dumps(message).encode()
    return head(server, **{**headers_for(message), "content-length": str(len(body))}) + body


@promise("T6")
def test_a_thousand_calls_of_one_id_on_one_connection_are_independent(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=4 * SECONDS) as connection:
        stream = connection.makefile("rb")
        for start in range(0, MANY, 50):  # what is pipelined must fit the buffers between the two sides
            texts = [f"call {number}" for number in range(start, start + 50)]
            calls = [_as_bytes(server, modern_call("alpha_echo", {"text": text}, request_id="same")) for text in texts]
            connection.sendall(b"".join(calls))
            for text in texts:
                length = 0
                while line := stream.readline().strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                answer = json.loads(stream.read(length))
                assert (answer["id"], answer["result"]["content"][0]["text"]) == ("same", text)
        stream.close()


@promise("T6")
def test_the_same_call_twice_at_once_is_answered_twice(server: Running, door: SampleDoor) -> None:
    held = [Stream(server, ALPHA, message, **headers_for(message)) for message in [modern_call("alpha_hold")] * 2]
    try:
        while len(door.requests) < 2:
            assert door.waiting.wait(SECONDS)
        door.let_go()
        for stream in held:
            assert stream.answer().text == "finished"
    finally:
        for stream in held:
            stream.close()


@promise("T6")
async def test_a_thousand_calls_in_parallel_are_all_answered(server: Running) -> None:
    limit = asyncio.Semaphore(64)

    async def one(number: int) -> tuple[int, str]:
        message = modern_call("alpha_echo", {"text": f"call {number}"}, request_id=number)
        async with limit:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                writer.write(_as_bytes(server, message).replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
                answer = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])
            finally:
                writer.close()
                await writer.wait_closed()
        return answer["id"], answer["result"]["content"][0]["text"]

    async with asyncio.timeout(12 * SECONDS):
        got = await asyncio.gather(*(one(number) for number in range(MANY)))
    assert got == [(number, f"call {number}") for number in range(MANY)]


@promise("T6")
def test_a_thousand_calls_on_one_sse_stream_are_all_answered(server: Running) -> None:
    with SseClient(server) as client:
        posting = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
        expected: set[tuple[int, str]] = set()
        for number in range(MANY):
            message = legacy_call("alpha_echo", {"text": f"call {number}"}, request_id=number)
            posting.request("POST", client.messages_path, body=json.dumps(message), headers=base_headers(None))
            response = posting.getresponse()
            response.read()
            assert response.status == 202
            expected.add((number, f"call {number}"))
        posting.close()
        answers = [client.message() for _ in range(MANY)]
    assert {(answer["id"], answer["result"]["content"][0]["text"]) for answer in answers} == expected


def test_an_id_in_flight_in_a_session_is_not_taken_twice_and_is_free_again_afterwards(door: SampleDoor) -> None:
    with serving(door, legacy="sessions") as server:
        named = open_session(server)
        other = open_session(server)
        with Stream(server, ALPHA, legacy_call("alpha_hold", request_id=1), **named) as held:
            assert door.waiting.wait(SECONDS)
            refused = post(server, legacy_call("alpha_echo", request_id=1), headers=named)
            assert (refused.status, refused.code) == (400, -32600)
            assert post(server, legacy_call("alpha_echo", {"text": "x"}, request_id=1), headers=other).text == "x"
            door.let_go()
            assert held.message()["result"]["content"][0]["text"] == "finished"
        for _ in range(20):
            again = post(server, legacy_call("alpha_echo", {"text": "y"}, request_id=1), headers=named)
            assert again.text == "y"
        assert LEGACY in post(server, legacy_call("alpha_who", request_id=2), headers=named).text
