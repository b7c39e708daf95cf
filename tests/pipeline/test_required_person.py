"""`permissions.require_human`: a code that a model sends is not enough, a person at the client has to agree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestFormParams, ElicitResult

from tests.pipeline.changes import untouched
from tests.server_fixtures import ALL_EFFECTS, Served, Server, ledger_settings, served, started
from tests.transport.wire import MODERN, legacy_call, modern_call, post

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

POLICY = {"require_human": [{"tools": ["ledger_add"]}, {"effects": ["destroy"]}]}
GIFT: dict[str, object] = {"what": "a gift", "amount": 5}
AGREES = ElicitResult(action="accept", content={"agree": True})
DECLINES = ElicitResult(action="decline")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[Server]:
    async with started(ledger_settings(tmp_path, effects=ALL_EFFECTS, permissions=POLICY)) as server:
        yield server


@pytest.fixture
def http(tmp_path: Path) -> Generator[Served]:
    sessions = {"legacy": "sessions"}
    with served(ledger_settings(tmp_path, effects=ALL_EFFECTS, server=sessions, permissions=POLICY)) as server:
        yield server


async def test_a_call_answers_the_question_and_does_nothing(server: Server) -> None:
    answer = await server.app.door.call(server.request("ledger_add", GIFT))
    text = str(answer.content[0]["text"])
    assert "ledger_add would write on main" in text
    assert "a gift" in text
    assert "a person has to agree" in text
    assert answer.needs_person
    assert answer.confirm
    assert answer.confirm not in text
    assert untouched(server.ledger)


async def test_with_the_consent_of_the_person_it_is_done(server: Server) -> None:
    asked = await server.app.door.call(server.request("ledger_add", GIFT))
    request = replace(server.request("ledger_add", GIFT), consent=asked.confirm)
    assert not (await server.app.door.call(request)).is_error
    assert not untouched(server.ledger)


async def test_consent_to_one_call_is_none_to_another(server: Server) -> None:
    asked = await server.app.door.call(server.request("ledger_add", GIFT))
    other = replace(server.request("ledger_add", {**GIFT, "amount": 6}), consent=asked.confirm)
    assert (await server.app.door.call(other)).code == "plan_changed"
    assert untouched(server.ledger)


async def test_a_code_as_an_argument_is_refused(server: Server) -> None:
    answer = await server.call("ledger_remove", {"number": 1, "confirm": "0123456789"})
    assert answer.code == "needs_person"
    assert answer.record["stage"] == "authorise"
    assert untouched(server.ledger)


async def test_a_tool_that_calls_the_tool_is_refused(server: Server) -> None:
    answer = await server.call("ledger_relay", {"tool": "ledger_add", "arguments": GIFT})
    assert answer.code == "needs_person"
    assert untouched(server.ledger)


@pytest.mark.parametrize("form", [modern_call, legacy_call])
@pytest.mark.parametrize("fast_path", [True, False])
def test_a_client_that_cannot_ask_may_not(tmp_path: Path, form: Any, *, fast_path: bool) -> None:
    way = {"fast_path": fast_path}
    with served(ledger_settings(tmp_path, effects=ALL_EFFECTS, server=way, permissions=POLICY)) as server:
        for arguments in (GIFT, {**GIFT, "replace": True}):
            answer = post(server, form("ledger_add", arguments), path="/mcp")
            assert answer.last["result"]["isError"] is True
            assert answer.text.startswith("needs_person")
        assert untouched(server.ledger)


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
@pytest.mark.parametrize(("person", "added"), [(AGREES, True), (DECLINES, False)])
async def test_the_person_at_the_client_decides_in_both_eras(
    http: Served, mode: str, person: ElicitResult, *, added: bool
) -> None:
    asked: list[str] = []

    async def answer(context: Any, params: Any) -> ElicitResult:
        del context
        assert isinstance(params, ElicitRequestFormParams)
        asked.append(params.message)
        return person

    way = streamable_http_client(f"{http.url}/mcp")
    async with Client(way, mode=mode, elicitation_callback=answer) as client:
        result = await client.call_tool("ledger_add", GIFT)
    assert bool(result.is_error) is not added
    assert "ledger_add would write on main" in asked[0]
    assert untouched(http.ledger) is not added
