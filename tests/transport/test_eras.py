"""Clients of all ages at once, sessions and their owners, and lists that change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ToolsListChanged

from cloud_native_mcp.contract.principal import Principal
from tests.promises import promise
from tests.transport.serving import BOUND_SECONDS, Running, eventually, serving
from tests.transport.sessions import SseClient, Stream, open_session
from tests.transport.wire import (
    ALPHA,
    LEGACY,
    META,
    MODERN,
    Json,
    envelope,
    exchange,
    get,
    legacy_call,
    modern_call,
    post,
    request,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.types import ASGIApp, Receive, Scope, Send


def _by_header(app: ASGIApp) -> ASGIApp:
    """Takes the caller's word for who it is; stands where authentication stands."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(b"x-caller", b"anybody").decode()
        scope["state"]["principal"] = Principal(id=name, method="api_key")
        await app(scope, receive, send)

    return middleware


@pytest.fixture(params=["stateless", "sessions"])
def server(request: pytest.FixtureRequest) -> Generator[Running]:
    with serving(legacy=request.param, wrap=[_by_header]) as running:
        yield running


@pytest.fixture
def sessions() -> Generator[Running]:
    with serving(legacy="sessions", wrap=[_by_header], max_sessions=2) as running:
        yield running


async def _use(client: Client) -> tuple[str, int, str]:
    async with client:
        listed = await client.list_tools()
        result = await client.call_tool("alpha_who", {})
        return client.session.protocol_version or "", len(listed.tools), str(getattr(result.content[0], "text", ""))


@promise("T10")
async def test_clients_of_all_ages_are_served_at_once(server: Running) -> None:
    async with asyncio.timeout(4 * BOUND_SECONDS):
        used = await asyncio.gather(
            _use(Client(sse_client(f"{server.url}/api/alpha/sse"), mode="legacy")),
            _use(Client(streamable_http_client(f"{server.url}{ALPHA}"), mode="legacy")),
            _use(Client(streamable_http_client(f"{server.url}/mcp"), mode=MODERN)),
            _use(Client(f"{server.url}/api/aggregate/streamable-http", mode="auto")),
            _use(Client(sse_client(f"{server.url}/api/aggregate/sse"), mode="legacy")),
        )
    assert [(version, text.split()[1]) for version, _, text in used] == [
        (LEGACY, "sse"),
        (LEGACY, "streamable-http"),
        (MODERN, "streamable-http"),
        (MODERN, "streamable-http"),
        (LEGACY, "sse"),
    ]
    assert len({count for _, count, _ in used}) == 1


@promise("T10")
@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_older_version_is_agreed_on_and_served(server: Running, version: str) -> None:
    params: Json = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    opened = post(server, request("initialize", params), headers={"mcp-protocol-version": None})
    assert opened.last["result"]["protocolVersion"] == version
    named: dict[str, str | None] = {"mcp-protocol-version": version}
    if "mcp-session-id" in opened.headers:
        named["mcp-session-id"] = opened.headers["mcp-session-id"]
    assert post(server, {"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=named).status == 202
    assert post(server, request("tools/list"), headers=named).last["result"]["tools"]
    assert post(server, legacy_call("alpha_who"), headers=named).text.endswith(version)


def test_a_stateless_server_has_no_session_to_get_or_delete() -> None:
    with serving() as server:
        for method in ("GET", "DELETE", "PUT"):
            answer = exchange(server, method, ALPHA)
            assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_session_answers_only_the_principal_that_opened_it(sessions: Running) -> None:
    named = open_session(sessions, headers={"x-caller": "ann"})
    call = legacy_call("alpha_who")
    assert post(sessions, call, headers=named).text.startswith("ann ")
    assert post(sessions, call, headers={**named, "x-caller": "bob"}).status == 404
    assert get(sessions, ALPHA, {**named, "x-caller": "bob", "accept": "text/event-stream"}).status == 404


def test_an_sse_stream_answers_only_the_principal_that_opened_it(sessions: Running) -> None:
    with SseClient(sessions, **{"x-caller": "ann"}) as client:
        answer = post(sessions, legacy_call("alpha_who"), path=client.messages_path, headers={"x-caller": "bob"})
        assert answer.status == 404


def test_there_are_only_so_many_sessions(sessions: Running) -> None:
    for _ in range(2):
        open_session(sessions)
    initialize = request("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _CLIENT})
    assert post(sessions, initialize, headers={"mcp-protocol-version": None}).status == 503
    with SseClient(sessions), SseClient(sessions):
        assert get(sessions, "/api/alpha/sse").status == 503
    assert eventually(lambda: get(sessions, "/api/alpha/nothing").status == 404)


def test_a_cut_stream_of_a_session_is_resumed_and_only_by_that_session(sessions: Running) -> None:
    named = open_session(sessions)
    with Stream(sessions, ALPHA, legacy_call("alpha_steps", request_id=3, progressToken=1), **named) as stream:
        first = stream.line(b"id: ") or ""
        assert stream.message()["params"]["progress"] == 1
    with Stream(sessions, ALPHA, **named, **{"last-event-id": first, "mcp-protocol-version": LEGACY}) as again:
        assert [again.message()["params"]["progress"] for _ in range(3)] == [1, 2, 3]
        assert again.message()["id"] == 3
    other = open_session(sessions)
    post(sessions, legacy_call("alpha_echo", {"text": "other"}, request_id=3), headers=other)
    with Stream(sessions, ALPHA, **other, **{"last-event-id": first, "mcp-protocol-version": LEGACY}) as third:
        assert third.message()["result"]["content"][0]["text"] == "other"


def test_a_changed_list_is_announced_to_clients_of_both_eras(sessions: Running) -> None:
    named = open_session(sessions)
    listen = request("subscriptions/listen", {"notifications": {"toolsListChanged": True}, "_meta": envelope()})
    fields = {"mcp-protocol-version": MODERN, "mcp-method": "subscriptions/listen"}
    with (
        Stream(sessions, ALPHA, **named, **{"mcp-protocol-version": LEGACY}) as standing,
        SseClient(sessions) as sse,
        Stream(sessions, ALPHA, listen, **fields) as listening,
    ):
        assert standing.status() == 200
        assert listening.message()["method"] == "notifications/subscriptions/acknowledged"
        sessions.within(sessions.app.announce_tools_changed)
        for stream in (standing, sse, listening):
            assert stream.message()["method"] == "notifications/tools/list_changed"


async def test_the_library_client_hears_of_changes(sessions: Running) -> None:
    async with (
        asyncio.timeout(BOUND_SECONDS),
        Client(f"{sessions.url}/mcp", mode=MODERN) as client,
        client.listen(tools_list_changed=True) as events,
    ):
        await asyncio.to_thread(sessions.within, sessions.app.announce_tools_changed)
        assert isinstance(await anext(aiter(events)), ToolsListChanged)


def test_a_list_is_one_page(server: Running) -> None:
    answer = post(server, request("tools/list", {"cursor": "2", "_meta": envelope()}))
    assert (answer.status, answer.code) == (400, -32602)


def test_the_principal_decides_what_is_listed(server: Running) -> None:
    listing = request("tools/list", {"_meta": envelope()})
    seen = post(server, listing, headers={"x-caller": "restricted"}).last["result"]
    assert [tool["name"] for tool in seen["tools"]] == ["alpha_echo"]
    assert (seen["cacheScope"], seen["ttlMs"] > 0, seen["resultType"]) == ("private", True, "complete")
    assert len(post(server, listing).last["result"]["tools"]) > 1


def test_discovery_names_the_server_and_its_versions(server: Running) -> None:
    found = post(server, request("server/discover", {"_meta": envelope()}), path="/mcp").last["result"]
    assert found["supportedVersions"] == [MODERN]
    assert found["instructions"] == "Sample tools."
    assert found["capabilities"]["tools"] == {"listChanged": True}
    assert found["_meta"][f"{META}serverInfo"] == {"name": "cloud-native-mcp", "version": "0.0.0"}
    service = post(server, modern_call("alpha_echo")).last["result"]["_meta"][f"{META}serverInfo"]
    assert service["name"] == "cloud-native-mcp/alpha"


def test_an_answer_can_be_asked_for_by_a_call_of_the_same_id_again(server: Running) -> None:
    for _ in range(2):
        assert post(server, modern_call("alpha_echo", {"text": "x"}, request_id="same")).last["id"] == "same"


_CLIENT = {"name": "test", "version": "1"}
