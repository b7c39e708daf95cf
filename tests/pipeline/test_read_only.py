"""A server that only reads: no way to call a tool that changes something leads to the backend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.principal import LOCAL
from tests.pipeline.changes import CHANGES, untouched
from tests.promises import promise
from tests.transport.sessions import SseClient
from tests.transport.wire import Json, legacy_call, modern_call, post, request

if TYPE_CHECKING:
    from tests.server_fixtures import Served, Server

PATHS = ("/mcp", "/api/aggregate/streamable-http", "/api/ledger/streamable-http")
ALIASES = (
    "LEDGER_ADD",
    "ledger.add",
    "ledger/add",
    "add",
    " ledger_add",
    "ledger_add ",
    "ledger_add\u200b",
    "ledger-add",
)


@promise("S1")
@promise("B6")
async def test_no_list_of_a_reading_server_shows_a_tool_that_changes(reading: Server) -> None:
    for endpoint in reading.app.door.endpoints:
        names = {str(tool["name"]) for tool in reading.app.door.list_tools(endpoint, LOCAL).tools}
        assert names.isdisjoint(tool for tool, _ in CHANGES)
        assert "ledger_list" in names


@promise("S1")
@pytest.mark.parametrize(("tool", "arguments"), CHANGES)
async def test_a_change_called_by_name_is_refused_audited_and_not_done(
    reading: Server, tool: str, arguments: Json
) -> None:
    answer = await reading.call(tool, arguments)
    assert answer.code == "effect_not_allowed"
    assert "[final]" in answer.text
    assert "allows only: read" in answer.text
    assert (answer.record["outcome"], answer.record["stage"]) == ("refused", "authorise")
    assert untouched(reading.ledger)


@promise("S1")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", [modern_call, legacy_call])
def test_a_change_over_streamable_http_is_refused_in_both_eras(reading_http: Served, path: str, form: object) -> None:
    for tool, arguments in CHANGES:
        message = modern_call(tool, arguments) if form is modern_call else legacy_call(tool, arguments)
        answer = post(reading_http, message, path=path)
        assert answer.last["result"]["isError"] is True
        assert answer.text.startswith("effect_not_allowed")
    refused = reading_http.stored(lambda line: line.get("code") == "effect_not_allowed", at_least=len(CHANGES))
    assert {line["tool"] for line in refused} == {tool for tool, _ in CHANGES}
    assert {line["door"] for line in refused} == {"streamable-http"}
    assert untouched(reading_http.ledger)


@promise("S1")
def test_a_change_over_sse_is_refused(reading_http: Served) -> None:
    with SseClient(reading_http, "/api/ledger/sse") as client:
        for number, (tool, arguments) in enumerate(CHANGES):
            client.send(legacy_call(tool, arguments, request_id=number))
            answer = client.message()
            assert answer["id"] == number
            assert answer["result"]["isError"] is True
            assert answer["result"]["content"][0]["text"].startswith("effect_not_allowed")
    refused = reading_http.stored(lambda line: line.get("code") == "effect_not_allowed", at_least=len(CHANGES))
    assert {line["door"] for line in refused} == {"sse"}
    assert untouched(reading_http.ledger)


@promise("S1")
@pytest.mark.parametrize("alias", ALIASES)
async def test_another_spelling_of_a_change_is_no_tool_at_all(reading: Server, alias: str) -> None:
    for endpoint in reading.app.door.endpoints:
        answer = await reading.call(alias, {"what": "x"}, endpoint=endpoint)
        assert answer.code == "unknown_tool"
        assert (answer.record["outcome"], answer.record["stage"]) == ("refused", "resolve")
    assert untouched(reading.ledger)


@promise("S1")
def test_a_batch_of_changes_is_refused_as_a_whole(reading_http: Served) -> None:
    batch = [legacy_call(tool, arguments, request_id=number) for number, (tool, arguments) in enumerate(CHANGES)]
    answer = post(reading_http, json.dumps(batch).encode(), path="/mcp")
    assert (answer.status, answer.code) == (400, -32600)
    assert untouched(reading_http.ledger)


@promise("S1")
@pytest.mark.parametrize(("tool", "arguments"), CHANGES)
async def test_a_change_asked_for_through_another_tool_is_refused_and_audited_as_its_child(
    reading: Server, tool: str, arguments: Json
) -> None:
    answer = await reading.call("ledger_relay", {"tool": tool, "arguments": arguments})
    assert answer.code == "effect_not_allowed"
    child = (await reading.stored(lambda line: line["tool"] == tool))[0]
    assert child["parent"] == answer.record["request"]
    assert (child["outcome"], child["stage"]) == ("refused", "authorise")
    assert untouched(reading.ledger)


@promise("S1")
async def test_a_chain_of_tools_ends_in_the_same_refusal(reading: Server) -> None:
    inner = {"tool": "ledger_add", "arguments": {"what": "x"}}
    answer = await reading.call("ledger_relay", {"tool": "ledger_relay", "arguments": inner})
    assert answer.code == "effect_not_allowed"
    assert untouched(reading.ledger)


@promise("S1")
def test_other_methods_do_not_call_tools(reading_http: Served) -> None:
    for method in ("tools/run", "ledger_add", "tools/call/ledger_add", "completion/complete", "prompts/get"):
        answer = post(reading_http, request(method, {"name": "ledger_add", "arguments": {"what": "x"}}), path="/mcp")
        assert "error" in answer.last
    assert untouched(reading_http.ledger)
