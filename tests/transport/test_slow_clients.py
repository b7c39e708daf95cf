"""Clients that take their answers slowly, or not at all."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.promises import promise
from tests.transport.serving import Running, eventually, serving
from tests.transport.wire import SECONDS, head, headers_for, modern_call, post

if TYPE_CHECKING:
    from collections.abc import Generator

LARGE = "x" * 3_000_000
"""More than the buffers of the kernel take for a client that reads nothing."""


@dataclass
class Connections:
    """How many are open, as the server counts them."""

    open: int = 0

    def count(self, change: int) -> None:
        self.open += change


@pytest.fixture
def connections() -> Connections:
    return Connections()


@pytest.fixture(params=[True, False], ids=["fast", "library"])
def server(connections: Connections, request: pytest.FixtureRequest) -> Generator[Running]:
    with serving(
        fast_path=request.param, write_timeout_s=0.5, keep_alive_s=1, count_connections=connections.count
    ) as running:
        yield running


def asking(server: Running, text: str, **headers: str) -> socket.socket:
    """A connection with a small window on which a call was sent and of whose answer only one byte was read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(SECONDS)
    connection.connect(("127.0.0.1", server.port))
    message = modern_call("alpha_echo", {"text": text})
    body = json.dumps(message).encode()
    connection.sendall(head(server, **{**headers_for(message), "content-length": str(len(body)), **headers}) + body)
    assert connection.recv(1) == b"H"
    return connection


def rest(connection: socket.socket) -> int:
    """How many bytes still came before the end of the connection."""
    came = 0
    try:
        while part := connection.recv(65_536):
            came += len(part)
    except ConnectionResetError:
        pass
    return came


@promise("T2")
@pytest.mark.parametrize("headers", [{}, {"connection": "close"}], ids=["kept open", "closed"])
def test_who_does_not_take_an_answer_in_time_is_cut_off(
    server: Running, connections: Connections, headers: dict[str, str]
) -> None:
    with asking(server, LARGE, **headers) as connection:
        assert eventually(lambda: connections.open == 0)
        assert 0 < rest(connection) < len(LARGE)


@promise("T2")
def test_others_are_served_while_many_take_nothing(server: Running, connections: Connections) -> None:
    slow = [asking(server, LARGE) for _ in range(20)]
    try:
        assert post(server, modern_call("alpha_echo", {"text": "quick"})).status == 200
        assert eventually(lambda: connections.open <= 1)
    finally:
        for connection in slow:
            connection.close()


@promise("T2")
def test_who_begins_late_but_takes_a_large_answer_in_time_gets_all_of_it(connections: Connections) -> None:
    with (
        serving(write_timeout_s=60, count_connections=connections.count) as server,
        asking(server, LARGE) as connection,
    ):
        assert connections.open == 1
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection) > len(LARGE)
