"""The person at the client is asked before a plan is carried out, in the way of each era, where there is one to ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestFormParams, ElicitResult

from tests.transport.sample_door import ERASE_CODE, SampleDoor
from tests.transport.serving import BOUND_SECONDS, Running, serving
from tests.transport.wire import ALPHA, META, MODERN, Json, envelope, modern_call, post, request

if TYPE_CHECKING:
    from collections.abc import Generator

AGREES = ElicitResult(action="accept", content={"agree": True})
REFUSALS = [
    ElicitResult(action="decline"),
    ElicitResult(action="cancel"),
    ElicitResult(action="accept", content={"agree": False}),
]
FORMS: Json = {f"{META}clientCapabilities": {"elicitation": {}}}


@pytest.fixture
def door() -> SampleDoor:
    return SampleDoor()


@pytest.fixture
def server(door: SampleDoor) -> Generator[Running]:
    with serving(door, legacy="sessions") as running:
        yield running


def client_of(server: Running, way: str, person: Any) -> Client:
    """A client of an era on a transport, with a person who answers questions, or without one."""
    if way == "sse":
        return Client(sse_client(f"{server.url}/api/alpha/sse"), mode="legacy", elicitation_callback=person)
    mode = MODERN if way == "modern" else "legacy"
    return Client(streamable_http_client(f"{server.url}{ALPHA}"), mode=mode, elicitation_callback=person)


async def erase(server: Running, way: str, answer: ElicitResult | None) -> tuple[bool, str, list[str]]:
    """Whether the call is an error, its text, and what the person was asked."""
    asked: list[str] = []

    async def person(_: Any, params: Any) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        asked.append(params.message)
        assert answer is not None
        return answer

    async with (
        asyncio.timeout(2 * BOUND_SECONDS),
        client_of(server, way, None if answer is None else person) as client,
    ):
        result = await client.call_tool("alpha_erase", {})
        return bool(result.is_error), str(getattr(result.content[0], "text", "")), asked


@pytest.mark.parametrize("way", ["modern", "sessions", "sse"])
async def test_a_person_who_agrees_to_the_plan_has_it_carried_out(server: Running, door: SampleDoor, way: str) -> None:
    assert await erase(server, way, AGREES) == (False, "erased", ["would erase all"])
    assert door.erased == 1


@pytest.mark.parametrize("answer", REFUSALS, ids=["declined", "cancelled", "unticked"])
@pytest.mark.parametrize("way", ["modern", "sessions", "sse"])
async def test_anything_but_yes_leaves_all_as_it_was(
    server: Running, door: SampleDoor, way: str, answer: ElicitResult
) -> None:
    is_error, text, asked = await erase(server, way, answer)
    assert is_error
    assert text.startswith("declined: ")
    assert asked == ["would erase all"]
    assert door.erased == 0


@pytest.mark.parametrize("way", ["modern", "sessions", "sse"])
async def test_a_client_that_cannot_be_asked_gets_the_plan_with_its_code(
    server: Running, door: SampleDoor, way: str
) -> None:
    is_error, text, _ = await erase(server, way, None)
    assert not is_error
    assert ERASE_CODE in text
    assert door.erased == 0


async def test_a_stateless_server_cannot_ask_older_clients_and_answers_the_code(door: SampleDoor) -> None:
    with serving(door) as server:
        is_error, text, asked = await erase(server, "stateless", AGREES)
    assert (is_error, asked, door.erased) == (False, [], 0)
    assert ERASE_CODE in text


@pytest.mark.parametrize("elicitation", [{"url": {}}, None])
def test_a_client_without_forms_is_not_asked(server: Running, elicitation: object) -> None:
    capabilities: Json = {} if elicitation is None else {"elicitation": elicitation}
    answer = post(server, modern_call("alpha_erase", **{f"{META}clientCapabilities": capabilities}))
    assert ERASE_CODE in answer.text


def test_the_code_reaches_neither_the_question_nor_its_state(server: Running) -> None:
    asked = post(server, modern_call("alpha_erase", **FORMS))
    assert asked.last["result"]["resultType"] == "input_required"
    assert ERASE_CODE not in asked.body.decode()


def test_an_answer_to_no_question_of_ours_is_no_consent(server: Running, door: SampleDoor) -> None:
    params = {
        "name": "alpha_erase",
        "arguments": {},
        "requestState": ERASE_CODE,
        "inputResponses": {"consent": {"action": "accept", "content": {"agree": True}}},
        "_meta": envelope(**FORMS),
    }
    answer = post(server, request("tools/call", params))
    assert "error" in answer.last
    assert door.erased == 0
