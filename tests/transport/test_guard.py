"""Who gets in by Host and Origin, and what browsers may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.transport.guard import HostRule
from tests.promises import promise
from tests.transport.sample_door import SampleDoor
from tests.transport.serving import Running, serving
from tests.transport.wire import ALPHA, LEGACY, exchange, get, modern_call, post, request

if TYPE_CHECKING:
    from collections.abc import Iterator

INITIALIZE = request(
    "initialize",
    {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
)
PAGE = "https://console.example.com"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(
        legacy="sessions",
        public_url="https://mcp.example.com/base",
        allowed_hosts=["gateway.internal:8443"],
        allowed_origins=[PAGE],
    ) as running:
        yield running


@pytest.fixture(scope="module")
def proxied() -> Iterator[Running]:
    with serving(allowed_hosts=["mcp.example.com"], trusted_proxies=["127.0.0.0/8"]) as running:
        yield running


@promise("S7")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "localhost.evil"}, 421),
        ({"host": "localhost.evil:8765"}, 421),
        ({"host": "127.0.0.1.evil"}, 421),
        ({"host": "mcp.example.com.evil"}, 421),
        ({"host": "localhost@evil"}, 421),
        ({"host": "localhost:80:evil"}, 421),
        ({"host": "gateway.internal:1"}, 421),
        ({"host": ""}, 421),
        ({"x-forwarded-host": "evil.example"}, 421),
        ({"host": "evil.example", "x-forwarded-host": "mcp.example.com"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost.evil"}, 403),
        ({"origin": "file://localhost"}, 403),
        ({"origin": f"{PAGE}.evil"}, 403),
        ({"origin": PAGE.replace("https", "http")}, 403),
    ],
    ids=repr,
)
@pytest.mark.parametrize("path", [ALPHA, "/mcp", "/api/alpha/sse", "/api/alpha/messages/", "/health", "/metrics"])
def test_foreign_hosts_and_origins_are_refused_before_any_work(
    server: Running, path: str, headers: dict[str, str], status: int
) -> None:
    assert isinstance(server.door, SampleDoor)
    before = len(server.door.requests)
    for message in (modern_call("alpha_echo"), INITIALIZE):
        assert post(server, message, path=path, headers=headers).status == status
    assert get(server, path, headers).status == status
    assert server.sessions() == 0
    assert len(server.door.requests) == before


@promise("S7")
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost"},
        {"host": "LOCALHOST:1234"},
        {"host": "[::1]:8765"},
        {"host": "mcp.example.com"},
        {"host": "gateway.internal:8443"},
        {"host": "mcp.example.com", "x-forwarded-host": "mcp.example.com"},
        {"host": "mcp.example.com", "origin": "https://mcp.example.com"},
        {"origin": PAGE},
        {"origin": "http://localhost:6274"},
    ],
    ids=repr,
)
def test_own_names_and_allowed_pages_get_in(server: Running, headers: dict[str, str]) -> None:
    assert post(server, modern_call("alpha_echo", {"text": "in"}), headers=headers).text == "in"


@promise("S7")
def test_a_forwarded_host_counts_only_when_a_trusted_proxy_sends_it(proxied: Running, server: Running) -> None:
    forwarded = {"host": "10.9.8.7:8765", "x-forwarded-host": "mcp.example.com"}
    assert post(proxied, modern_call("alpha_echo", {"text": "in"}), headers=forwarded).text == "in"
    assert post(proxied, modern_call("alpha_echo"), headers={"x-forwarded-host": "evil.example"}).status == 421
    assert post(server, modern_call("alpha_echo"), headers=forwarded).status == 421


def test_the_callers_address_is_the_last_one_no_trusted_proxy_stands_for(proxied: Running, server: Running) -> None:
    chain = {"x-forwarded-for": "203.0.113.9, 198.51.100.7, 127.0.0.3"}
    assert " 198.51.100.7 " in post(proxied, modern_call("alpha_who"), headers=chain).text
    assert " 127.0.0.1 " in post(proxied, modern_call("alpha_who"), headers={"x-forwarded-for": "nonsense"}).text
    assert " 127.0.0.1 " in post(server, modern_call("alpha_who"), headers=chain).text


def test_the_address_connected_to_is_an_own_name_and_others_are_not() -> None:
    rule = HostRule([])
    assert rule.allows("10.1.2.3:8765", "10.1.2.3")
    assert rule.allows("[fd00::7]:8765", "fd00::7")
    assert not rule.allows("10.1.2.4:8765", "10.1.2.3")
    assert not rule.allows("", "")
    assert HostRule(["*"]).allows("anything.example", "10.1.2.3")


def test_a_probe_needs_no_known_host(server: Running) -> None:
    assert get(server, "/livez", {"host": "10.9.8.7"}).status == 200
    assert get(server, "/readyz", {"host": "10.9.8.7"}).status == 200


def test_a_preflight_from_an_allowed_page_is_answered(server: Running) -> None:
    answer = exchange(
        server,
        "OPTIONS",
        ALPHA,
        headers={
            "origin": PAGE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type, mcp-protocol-version, authorization",
        },
    )
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["vary"] == "Origin"


def test_a_preflight_from_a_foreign_page_is_refused(server: Running) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = exchange(server, "OPTIONS", ALPHA, headers=headers)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("path", "body", "status"), [(ALPHA, b"{", 400), ("/nowhere", b"{}", 404), (ALPHA, b" " * 5_000_000, 413)]
)
def test_pages_may_read_errors_too(server: Running, path: str, body: bytes, status: int) -> None:
    answer = post(server, body, path=path, headers={"origin": PAGE})
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == PAGE
    for exposed in ("Mcp-Session-Id", "MCP-Protocol-Version", "WWW-Authenticate", "Retry-After"):
        assert exposed in answer.headers["access-control-expose-headers"]


def test_a_page_reads_the_answer_of_a_call(server: Running) -> None:
    answer = post(server, modern_call("alpha_echo", {"text": "x"}), headers={"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "access-control-allow-origin" not in post(server, modern_call("alpha_echo")).headers
