"""Header fields made to confuse what reads them."""

from __future__ import annotations

import json
import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.transport.protocol import MAX_HEAD_BYTES
from tests.promises import promise
from tests.transport.serving import Running, serving
from tests.transport.wire import ALPHA, SECONDS, head, headers_for, modern_call, post, raw_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "hunter2canary"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving() as running:
        yield running


def _whole(server: Running, **fields: str) -> bytes:
    body = json.dumps(modern_call("alpha_echo", {"text": "reached"})).encode()
    named = {**headers_for(modern_call("alpha_echo")), "content-length": str(len(body)), **fields}
    return head(server, **named) + body


@promise("B21")
@pytest.mark.parametrize(
    "fields",
    [
        {"authorization": f"Bearer {CANARY}\rx"},
        {"authorization": f"Bearer {CANARY}\nx: y z"},
        {"authorization": f"Bearer {CANARY}\r\n folded"},
        {"x-request-id": f"{CANARY}\x00"},
        {"x-request-id": f"{CANARY}\x1b[31mred"},
        {"x-request-id": f"{CANARY}\x7f"},
        {"authorization": "Bearer " + CANARY * 5_000},
        {"authorization": f"Bearer {CANARY}\r\nAuthorization: Bearer {CANARY}2"},
        {"mcp-name": f"alpha_echo, {CANARY}"},
        {"mcp-name": "alpha_echo, alpha_echo"},
        {"mcp-name": "alpha_echo\r\nMcp-Name: alpha_echo"},
        {"host": "127.0.0.1\r\nHost: localhost"},
    ],
    ids=lambda fields: repr(fields)[:50],
)
def test_odd_header_values_are_refused_and_reach_no_log(
    server: Running, fields: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert raw_exchange(server, _whole(server, **fields)).status == 400
    own = [record for record in caplog.records if not record.name.startswith(("asyncio", "sse_starlette"))]
    assert not any(CANARY in record.getMessage() for record in own)
    assert all(record.getMessage().isprintable() for record in own)


@promise("B21")
def test_tabs_and_blanks_around_a_value_are_no_part_of_it(server: Running) -> None:
    answer = raw_exchange(server, _whole(server, **{"mcp-name": " \talpha_echo \t", "accept": "*/* "}))
    assert answer.text == "reached"


def test_too_many_header_fields_are_refused(server: Running) -> None:
    assert post(server, modern_call("alpha_echo"), headers={f"x-{n}": "v" for n in range(120)}).status == 400


def test_a_head_without_end_is_cut_off(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(f"POST {ALPHA} HTTP/1.1\r\nx-long: ".encode())
        with suppress(ConnectionError):
            for _ in range(4 * MAX_HEAD_BYTES // 65_536):
                connection.sendall(b"v" * 65_536)
        received = b""
        with suppress(ConnectionError):  # closed with our bytes unread: the reset may overtake the answer
            while part := connection.recv(4096):
                received += part
        assert not received or received.startswith(b"HTTP/1.1 400 ")
    assert post(server, modern_call("alpha_echo", {"text": "next"})).text == "next"
