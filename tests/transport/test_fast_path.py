"""The fast path answers what the protocol library answers."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from cloud_native_mcp.transport.endpoint import Endpoint, RawHandlers, RawTool
from cloud_native_mcp.transport.fast.path import FastPath
from cloud_native_mcp.transport.fast.stream import Answer as StreamedAnswer
from cloud_native_mcp.transport.frame import read_frame, routing_fields
from tests.transport.sample_door import HIDDEN, SampleDoor
from tests.transport.serving import IDENTITY, Running, serving
from tests.transport.wire import (
    LEGACY,
    MODERN,
    Answer,
    Json,
    envelope,
    headers_for,
    legacy_call,
    modern_call,
    post,
    request,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from starlette.types import Message


async def _mirrored(ctx: ServerRequestContext[Any, Any], params: Any) -> HandlerResult:
    del ctx
    return {"content": [{"type": "text", "text": str(params.arguments)}], "resultType": "complete"}


_MIRROR = {
    "name": "alpha_mirror",
    "inputSchema": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}},
}
RAW = RawHandlers(tools={"alpha_mirror": RawTool(_MIRROR, _mirrored)})


class _Seen:
    """Counts the requests that reach the protocol library."""

    def __init__(self, running: Running) -> None:
        self.methods: Counter[str] = Counter()
        self.running = running
        for endpoint in running.app.endpoints:
            endpoint.server.middleware.append(self._count)

    async def _count(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        self.methods[ctx.method] += 1
        return await call_next(ctx)


@pytest.fixture(scope="module")
def fast() -> Iterator[_Seen]:
    with serving(SampleDoor(extra_tools=20)) as running:
        yield _Seen(running)


@pytest.fixture(scope="module")
def library() -> Iterator[_Seen]:
    with serving(SampleDoor(extra_tools=20), fast_path=False) as running:
        yield _Seen(running)


def _legacy(call: Json, version: str) -> tuple[Json, dict[str, str | None]]:
    return call, {"mcp-protocol-version": version}


_LIST = request("tools/list", {"_meta": envelope()})
HOT: list[tuple[Json, dict[str, str | None]]] = [
    (_LIST, {}),
    (request("tools/list", {"_meta": envelope(progressToken="t")}, request_id="text id"), {}),
    (modern_call("alpha_echo", {"text": "häß\u2028 \u0001"}), {}),
    (modern_call("alpha_echo", {"text": 2**80}), {}),
    (modern_call("alpha_echo", {"text": 0.1}, request_id="id ü"), {}),
    (modern_call("alpha_echo", request_id=-(2**60)), {}),
    (modern_call("alpha_refuse"), {}),
    (modern_call("alpha_steps", progressToken="p"), {}),
    (modern_call("alpha_steps", progressToken=0), {}),
    (modern_call("alpha_steps"), {}),
    (modern_call("alpha_who", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"), {}),
    (modern_call(HIDDEN), {}),
    (modern_call("alpha_broken"), {}),
    (modern_call("alpha_echo", **{"io.modelcontextprotocol/clientInfo": None}), {}),
    (modern_call("alpha_echo", **{"io.modelcontextprotocol/clientInfo": {"name": "n" * 9_000, "version": "1"}}), {}),
    (request("tools/call", {"name": "alpha_who", "_meta": envelope()}), {}),
    *[
        _legacy(call, version)
        for version in ("2024-11-05", "2025-03-26", "2025-06-18", LEGACY)
        for call in (
            request("tools/list"),
            request("tools/list", {}, request_id="x"),
            legacy_call("alpha_echo", {"text": "x"}),
            legacy_call("alpha_refuse"),
            legacy_call("alpha_steps", progressToken=7),
            legacy_call("alpha_who"),
            legacy_call(HIDDEN),
            legacy_call("alpha_steps"),
            request("tools/call", {"name": "alpha_who"}),
        )
    ],
    (legacy_call("alpha_who"), {"mcp-protocol-version": None}),
]
"""Messages the fast path takes."""

COLD: list[tuple[Json, dict[str, str | None]]] = [
    (modern_call("alpha_absent"), {}),
    (legacy_call("alpha_absent"), {}),
    (modern_call("alpha_echo"), {"mcp-name": "alpha_who"}),
    (modern_call("alpha_echo"), {"mcp-method": "tools/list"}),
    (modern_call("alpha_echo", progressToken=1.5), {}),
    (modern_call("alpha_echo", progressToken=True), {}),
    (modern_call("alpha_echo", progressToken=None), {}),
    (modern_call("alpha_echo", **{"io.modelcontextprotocol/clientCapabilities": 5}), {}),
    (modern_call("alpha_echo", **{"io.modelcontextprotocol/clientCapabilities": {"sampling": 5}}), {}),
    (modern_call("alpha_echo", **{"io.modelcontextprotocol/clientInfo": {"name": 5}}), {}),
    (modern_call("alpha_echo", **{"io.modelcontextprotocol/logLevel": "debug"}), {}),
    (
        modern_call(
            "alpha_echo", **{"io.modelcontextprotocol/clientCapabilities": {"experimental": {"x": {"y": 2**80}}}}
        ),
        {},
    ),
    (modern_call("alpha_echo", **{"vendor/key": {"a": 1}}), {}),
    (request("tools/call", {"name": "alpha_who", "arguments": None, "_meta": envelope()}), {"mcp-name": "alpha_who"}),
    (request("tools/call", {"name": "alpha_who", "arguments": [], "_meta": envelope()}), {}),
    (request("tools/call", {"name": 5, "arguments": {}, "_meta": envelope()}), {}),
    (request("tools/call", {"arguments": {}, "_meta": envelope()}), {}),
    (request("tools/call", {"name": "alpha_who", "requestState": "x", "_meta": envelope()}), {}),
    (request("tools/call", {"name": "alpha_who", "inputResponses": {}, "_meta": envelope()}), {}),
    (request("tools/call", {"name": "alpha_who", "other": 1, "_meta": envelope()}), {}),
    (request("tools/list", {"cursor": "x", "_meta": envelope()}), {}),
    (request("tools/list", {"_meta": "x"}), {"mcp-protocol-version": MODERN, "mcp-method": "tools/list"}),
    (request("tools/call", {"name": "alpha_who", "arguments": 5}), {}),
    (request("tools/call", {"name": "alpha_who", "_meta": {"progressToken": 1.5}}), {}),
    (request("server/discover", {"_meta": envelope()}), {}),
    (request("ping"), {}),
]
"""Messages it leaves to the library."""


def _told(answer: Answer) -> tuple[int, list[Json]]:
    """Status and messages, without what differs from call to call."""
    return answer.status, answer.messages


@pytest.mark.parametrize(("message", "headers"), HOT, ids=lambda value: json.dumps(value)[:120])
def test_a_hot_message_is_answered_as_by_the_library_and_without_it(
    fast: _Seen, library: _Seen, message: Json, headers: dict[str, str | None]
) -> None:
    before = fast.methods.total()
    ours, theirs = post(fast.running, message, headers=headers), post(library.running, message, headers=headers)
    assert _told(ours) == _told(theirs)
    assert fast.methods.total() == before


@pytest.mark.parametrize(("message", "headers"), COLD, ids=lambda value: json.dumps(value)[:120])
def test_any_other_message_is_left_to_the_library(
    fast: _Seen, library: _Seen, message: Json, headers: dict[str, str | None]
) -> None:
    ours, theirs = post(fast.running, message, headers=headers), post(library.running, message, headers=headers)
    assert _told(ours) == _told(theirs)
    fields = routing_fields([(key.encode(), value.encode()) for key, value in _sent(message, headers).items()])
    path = FastPath(fast.running.app.endpoints[1])
    assert path.match(read_frame(json.dumps(message).encode(), fields), fields) is None


def _sent(message: Json, headers: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in {**headers_for(message), **headers}.items() if value is not None}


def test_both_ways_tell_the_tool_the_same_about_the_call(fast: _Seen, library: _Seen) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    for call, headers in ((modern_call("alpha_who"), {"traceparent": trace}), (legacy_call("alpha_who"), {})):
        for seen in (fast, library):
            post(seen.running, call, headers=headers)
        ours, theirs = (_last_request(seen) for seen in (fast, library))
        assert ours.client == theirs.client
        assert (ours.endpoint, ours.tool, ours.arguments) == (theirs.endpoint, theirs.tool, theirs.arguments)
        assert ours.request_id != theirs.request_id
        assert ours.client.traceparent == headers.get("traceparent", "")


def _last_request(seen: _Seen) -> Any:
    assert isinstance(seen.running.door, SampleDoor)
    return seen.running.door.requests[-1]


def test_a_list_is_encoded_again_when_it_changes() -> None:
    door = SampleDoor()
    with serving(door) as server:
        count = len(post(server, _LIST).last["result"]["tools"])
        door.extra_tools = 3
        assert len(post(server, _LIST).last["result"]["tools"]) == count + 3


def test_tools_with_their_own_handler_and_mirrored_arguments_go_to_the_library() -> None:
    with serving(raw={"alpha": RAW}) as server:
        assert "alpha_mirror" in {tool["name"] for tool in post(server, _LIST).last["result"]["tools"]}
        call = modern_call("alpha_mirror", {"region": "eu"})
        assert post(server, call).code == -32020
        assert post(server, call, headers={"mcp-param-region": "eu"}).text == "{'region': 'eu'}"


def test_sessions_keep_their_messages_with_the_library() -> None:
    endpoint = Endpoint("alpha", SampleDoor(), identity=IDENTITY, legacy="sessions")
    fields = routing_fields([(b"mcp-protocol-version", LEGACY.encode())])
    frame = read_frame(json.dumps(legacy_call("alpha_echo")).encode(), fields)
    assert FastPath(endpoint).match(frame, fields) is None


async def test_a_silent_call_is_kept_alive_with_comments() -> None:
    door = SampleDoor()
    endpoint = Endpoint("alpha", door, identity=IDENTITY)
    path = FastPath(endpoint, silence_s=0.01)
    message = modern_call("alpha_hold")
    fields = routing_fields([(key.encode(), value.encode()) for key, value in headers_for(message).items()])
    hot = path.match(read_frame(json.dumps(message).encode(), fields), fields)
    assert hot is not None
    sent: list[Message] = []

    async def send(part: Message) -> None:
        sent.append(part)
        if len(sent) == 4:
            door.let_go()

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async with asyncio.timeout(5):
        await path.serve(hot, {"type": "http", "headers": [], "state": {}}, receive, send)
    assert (b"content-type", b"text/event-stream") in sent[0]["headers"]
    assert (b"x-accel-buffering", b"no") in sent[0]["headers"]
    assert [part["body"] for part in sent[1:4]] == [b": ping\r\n\r\n"] * 3
    assert b"finished" in sent[-1]["body"]
    assert sent[-1]["more_body"] is False


async def test_progress_after_the_end_of_a_call_is_dropped() -> None:
    sent: list[Message] = []

    async def send(part: Message) -> None:
        sent.append(part)

    answer = StreamedAnswer(send)
    await answer.end(b"{}")
    await answer.notice(b"{}")
    await answer.keep_alive()
    assert [part["type"] for part in sent] == ["http.response.start", "http.response.body"]
