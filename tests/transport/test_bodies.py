"""Bodies over the limit, and bodies that do not come."""

from __future__ import annotations

import socket
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.promises import promise
from tests.transport.serving import Running, eventually, serving
from tests.transport.wire import MODERN, SECONDS, Answer, base_headers, head, modern_call, post, read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 1_048_576
MIB = 1_048_576
PATHS = ["/api/alpha/streamable-http", "/mcp", "/api/alpha/messages/"]


@pytest.fixture(scope="module", params=["stateless", "sessions"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with serving(max_body_bytes=LIMIT, body_timeout_s=0.3, legacy=request.param) as running:
        yield running


def _connect(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)


def _chunked(server: Running, path: str, size: int) -> Answer:
    """Send a chunked body of that size for as long as the server listens; its answer."""
    chunk = b"x" * 65_536
    with _connect(server) as connection:
        connection.sendall(head(server, path, **{"transfer-encoding": "chunked"}))
        try:
            for _ in range(size // len(chunk)):
                connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            connection.sendall(b"0\r\n\r\n")
        except ConnectionError:
            pass
        return read_answer(connection)


@promise("B2")
@pytest.mark.parametrize("path", PATHS)
def test_a_declared_length_over_the_limit_is_refused_before_anything_is_read(server: Running, path: str) -> None:
    with _connect(server) as connection:
        connection.sendall(head(server, path, **{"content-length": str(10**12)}))
        assert read_answer(connection).status == 413


@promise("B2")
@pytest.mark.parametrize("path", PATHS)
def test_a_body_of_unknown_length_is_refused_once_it_passes_the_limit_and_is_not_kept(
    server: Running, path: str
) -> None:
    post(server, modern_call("alpha_echo"))
    tracemalloc.start()
    try:
        base, _ = tracemalloc.get_traced_memory()
        answer = _chunked(server, path, 12 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status == 413
    assert peak - base < 6 * MIB
    assert post(server, modern_call("alpha_echo", {"text": "next"})).text == "next"


@promise("B2")
def test_a_body_within_the_limit_in_many_parts_is_served(server: Running) -> None:
    text = "long " * 100_000
    assert post(server, modern_call("alpha_echo", {"text": text})).text == text


@promise("B2")
def test_a_body_that_passes_the_limit_by_one_byte_is_refused(server: Running) -> None:
    for size, status in ((LIMIT, 400), (LIMIT + 1, 413)):
        assert post(server, b" " * size, headers=base_headers(MODERN)).status == status


def test_a_body_that_does_not_come_is_given_up(server: Running) -> None:
    with _connect(server) as connection:
        connection.sendall(head(server, **{"content-length": "100"}) + b"{")
        assert read_answer(connection).status == 408


def test_a_client_that_goes_away_in_the_middle_of_its_body_leaves_nothing_behind(server: Running) -> None:
    post(server, modern_call("alpha_echo"))
    before = server.tasks()
    with _connect(server) as connection:
        connection.sendall(head(server, **{"content-length": "100"}) + b"{")
    assert eventually(lambda: not server.app.drain.in_flight)
    assert eventually(lambda: server.tasks() <= before)
