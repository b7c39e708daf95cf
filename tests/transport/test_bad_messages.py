"""Messages that are not proper MCP over HTTP, and how each is refused."""

from __future__ import annotations

import base64
import http.client
import json
from typing import TYPE_CHECKING

import pytest

from tests.promises import promise
from tests.transport.sample_door import HIDDEN
from tests.transport.serving import Running, eventually, serving
from tests.transport.wire import (
    ALPHA,
    LEGACY,
    META,
    MODERN,
    SECONDS,
    base_headers,
    envelope,
    get,
    modern_call,
    post,
    request,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

INITIALIZE = request(
    "initialize",
    {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
)


@pytest.fixture(scope="module", params=["fast", "library", "sessions"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    legacy = "sessions" if request.param == "sessions" else "stateless"
    with serving(fast_path=request.param != "library", legacy=legacy) as running:
        yield running


@pytest.fixture
def nothing_left(server: Running) -> Iterator[None]:
    """No session and no task stays behind on the server."""
    assert post(server, modern_call("alpha_echo")).status == 200
    assert eventually(lambda: not server.app.drain.in_flight)
    tasks, sessions = server.tasks(), server.sessions()
    yield
    assert eventually(lambda: server.tasks() <= tasks), server.tasks() - tasks
    assert server.sessions() == sessions


@promise("B1")
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("version", [MODERN, LEGACY, None])
@pytest.mark.parametrize("body", [b"", b"{", b'"\xff\xfe"', b'{"a": "\x00"}', b"\x00", b"NaN", b'{"jsonrpc": "2.0"} x'])
def test_what_is_no_json_is_a_parse_error_and_the_connection_is_kept(
    server: Running, body: bytes, version: str | None
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    try:
        connection.request("POST", ALPHA, body=body, headers=base_headers(version))
        got = connection.getresponse()
        answer = json.loads(got.read())
        assert (got.status, answer["error"]["code"], answer["id"]) == (400, -32700, None)
        first_socket = connection.sock
        message = modern_call("alpha_echo", {"text": "still here"})
        headers = {**base_headers(MODERN), "mcp-method": "tools/call", "mcp-name": "alpha_echo"}
        connection.request("POST", ALPHA, body=json.dumps(message), headers=headers)
        assert connection.getresponse().read().find(b"still here") > 0
        assert connection.sock is first_socket
    finally:
        connection.close()


@promise("B3")
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("version", [MODERN, LEGACY])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"a":' * 65 + b"1" + b"}" * 65, 400),
        (b"{" + b",".join(b'"k%d":1' % n for n in range(1_000_000)) + b"}", 413),
        (b"{" + b",".join(b'"k%d":1' % n for n in range(150_000)) + b"}", 400),
        (b"[" + b"1," * 200_000 + b"1]", 400),
        (b"1" * 10_000_000, 413),
        (b"1" * 4_000_000, 400),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', 400),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a":"x:y","a":"z"}}}', 400),
    ],
    ids=lambda value: f"{value[:12]!r}" if isinstance(value, bytes) else str(value),
)
def test_json_bombs_are_refused_before_any_tool_runs(server: Running, body: bytes, status: int, version: str) -> None:
    answer = post(server, body, headers=base_headers(version))
    assert answer.status == status
    if status == 400:
        assert answer.code == -32700
    assert post(server, modern_call("alpha_echo", {"text": "unaffected"})).text == "unaffected"


@promise("B4")
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("version", [MODERN, LEGACY])
@pytest.mark.parametrize(
    "message",
    [
        [request("ping"), request("ping")],
        [],
        {"id": 1, "method": "ping"},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
        {"jsonrpc": "2.0", "id": {}, "method": "ping"},
        {"jsonrpc": "2.0", "id": True, "method": "ping"},
        {"jsonrpc": "2.0", "id": 10**30, "method": "ping"},
        {"jsonrpc": "2.0", "id": -(10**30), "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]},
        "ping",
    ],
    ids=repr,
)
def test_what_is_not_one_json_rpc_message_is_an_invalid_request(server: Running, message: object, version: str) -> None:
    answer = post(server, json.dumps(message).encode(), headers=base_headers(version))
    assert (answer.status, answer.code) == (400, -32600)


@promise("B5")
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": None}, 415),
        ({"content-type": "application/jsonp"}, 415),
        ({"accept": None}, 406),
        ({"accept": "application/json"}, 406),
        ({"accept": "text/event-stream"}, 406),
        ({"accept": "text/html"}, 406),
    ],
)
@pytest.mark.parametrize("message", [modern_call("alpha_echo"), INITIALIZE], ids=["modern", "legacy"])
def test_wrong_media_types_are_refused(
    server: Running, message: dict[str, object], headers: dict[str, str | None], status: int
) -> None:
    assert post(server, message, headers=headers).status == status


@pytest.mark.parametrize("accept", ["*/*", "application/*, text/*", "text/event-stream;q=0.5, application/json"])
def test_accept_may_use_wildcards(server: Running, accept: str) -> None:
    assert post(server, modern_call("alpha_echo", {"text": "x"}), headers={"accept": accept}).text == "x"


@promise("B6")
@pytest.mark.usefixtures("nothing_left")
def test_an_unknown_method_is_not_found(server: Running) -> None:
    answer = post(server, request("tools/fly", {"_meta": envelope()}))
    assert (answer.status, answer.code) == (404, -32601)


@promise("B6")
@pytest.mark.usefixtures("nothing_left")
def test_a_tool_that_is_absent_and_one_that_is_not_allowed_are_refused_with_the_same_words(server: Running) -> None:
    absent, hidden = post(server, modern_call("alpha_nothing")), post(server, modern_call(HIDDEN))
    assert (absent.status, absent.last) == (hidden.status, hidden.last)
    assert (absent.status, absent.code) == (400, -32602)
    assert absent.last["error"]["message"] == "unknown tool"


@promise("B6")
def test_the_path_of_a_disabled_service_does_not_exist(server: Running) -> None:
    for door in ("streamable-http", "sse", "messages/"):
        assert post(server, modern_call("x"), path=f"/api/disabled/{door}").status == 404
    assert get(server, "/api/disabled/sse").status == 404


@promise("B7")
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("message", "headers"),
    [
        (request("tools/list", {"_meta": envelope("2031-01-01")}), {}),
        (request("tools/list", {}), {"mcp-protocol-version": "1999-01-01"}),
        (request("tools/list", {}), {"mcp-protocol-version": "latest"}),
    ],
)
def test_an_unknown_protocol_version_is_refused_with_the_versions_served(
    server: Running, message: dict[str, object], headers: dict[str, str]
) -> None:
    answer = post(server, message, headers=headers)
    assert (answer.status, answer.code) == (400, -32022)
    assert MODERN in answer.last["error"]["data"]["supported"]


@promise("B7")
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    "headers",
    [
        {"mcp-protocol-version": LEGACY},
        {"mcp-protocol-version": None},
        {"mcp-protocol-version": "2031-01-01"},
        {"mcp-method": "tools/list"},
        {"mcp-method": None},
        {"mcp-name": "alpha_who"},
        {"mcp-name": None},
        {"mcp-name": "=?base64?" + base64.b64encode(b"alpha_who").decode() + "?="},
        {"mcp-name": "=?base64?%%%?="},
        {"mcp-name": "ALPHA_ECHO"},
    ],
    ids=repr,
)
def test_headers_that_disagree_with_the_body_are_refused(server: Running, headers: dict[str, str | None]) -> None:
    answer = post(server, modern_call("alpha_echo"), headers=headers)
    assert (answer.status, answer.code) == (400, -32020)


@promise("B7")
@pytest.mark.parametrize("name", ["=?base64?" + base64.b64encode(b"alpha_echo").decode() + "?=", "alpha_echo  "])
def test_the_name_header_is_decoded_and_stripped_before_it_is_compared(server: Running, name: str) -> None:
    assert post(server, modern_call("alpha_echo", {"text": "same"}), headers={"mcp-name": name}).text == "same"


def test_a_fault_in_a_tool_is_told_without_its_detail(server: Running) -> None:
    answer = post(server, modern_call("alpha_crash"))
    assert (answer.status, answer.code) == (200, -32603)
    assert b"secret detail" not in answer.body


def test_half_an_envelope_is_told_what_is_missing(server: Running) -> None:
    params = {"name": "alpha_echo", "arguments": {}, "_meta": {f"{META}protocolVersion": MODERN}}
    answer = post(server, request("tools/call", params))
    assert (answer.status, answer.code) == (400, -32602)
    assert "clientCapabilities" in answer.last["error"]["message"]
