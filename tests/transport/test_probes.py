"""Probes, and the count of connections."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import orjson
import pytest

from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.transport.reply import reply_text
from tests.transport.serving import Running, eventually, serving
from tests.transport.wire import exchange, get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send


def _key_needed(app: ASGIApp) -> ASGIApp:
    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if (b"x-api-key", b"good") not in scope["headers"]:
            return await reply_text(send, 401, "who are you")
        scope["state"]["principal"] = Principal(id="ann", method="api_key")
        return await app(scope, receive, send)

    return middleware


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(wrap=[_key_needed]) as running:
        yield running


def test_probes_and_the_summary_are_open(server: Running) -> None:
    assert [get(server, path).status for path in ("/livez", "/readyz", "/health")] == [200, 200, 200]
    assert orjson.loads(get(server, "/health").body) == {"status": "ok"}


@pytest.mark.parametrize("path", ["/health?detail", "/health?detail=1", "/metrics"])
def test_detail_and_metrics_need_a_principal(server: Running, path: str) -> None:
    assert get(server, path).status == 401
    assert get(server, path, {"x-api-key": "good"}).status == 200


def test_a_balancer_may_ask_with_head(server: Running) -> None:
    assert [exchange(server, "HEAD", path).status for path in ("/livez", "/readyz", "/health")] == [200, 200, 200]


def test_the_detail_holds_more_than_the_summary(server: Running) -> None:
    assert b"alpha" in get(server, "/health?detail", {"x-api-key": "good"}).body


def test_without_a_middleware_that_tells_who_calls_the_detail_is_closed() -> None:
    with serving() as open_server:
        assert get(open_server, "/health?detail").status == 401


@pytest.mark.parametrize("path", ["/health?detail", "/metrics"])
def test_probes_are_read_only(server: Running, path: str) -> None:
    assert exchange(server, "DELETE", path, headers={"x-api-key": "good"}).status == 405


def test_unknown_paths_are_not_found_after_authentication(server: Running) -> None:
    assert get(server, "/nowhere").status == 401
    assert get(server, "/nowhere", {"x-api-key": "good"}).status == 404


def test_connections_are_counted_as_they_come_and_go() -> None:
    counted = [0]

    def count(change: int) -> None:
        counted[0] += change

    with serving(count_connections=count) as server:
        with socket.create_connection(("127.0.0.1", server.port)):
            assert eventually(lambda: counted[0] == 1)
        assert eventually(lambda: counted[0] == 0)
