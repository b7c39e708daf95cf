"""Standard input and output, both eras."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.promises import promise
from tests.transport.sessions import initialize, notification
from tests.transport.wire import LEGACY, MODERN, Json, legacy_call, modern_call, request

COMMAND = [sys.executable, "-m", "tests.transport.serve_process", "stdio"]
ROOT = Path(__file__).parents[2]


def _converse(*messages: Json) -> list[Json]:
    """Send messages, end the input when all answers are there; every line of the output."""
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in messages:
            process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        expected = sum("id" in message for message in messages)
        lines = [process.stdout.readline() for _ in range(expected)]
        process.stdin.close()
        lines += process.stdout.readlines()
        assert process.wait(10) == 0
    return [json.loads(line) for line in lines]


@promise("T10")
@pytest.mark.parametrize(("mode", "version"), [("legacy", LEGACY), (MODERN, MODERN), ("auto", MODERN)])
async def test_clients_of_both_eras_are_served_over_a_pipe(mode: str, version: str) -> None:
    parameters = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], cwd=ROOT)
    async with asyncio.timeout(20), Client(stdio_client(parameters), mode=mode) as client:
        assert (await client.list_tools()).tools
        result = await client.call_tool("alpha_who", {})
        assert getattr(result.content[0], "text", "") == f"local stdio  {version}"


def test_what_a_tool_prints_does_not_reach_the_output() -> None:
    answers = _converse(modern_call("alpha_noise", request_id=1), modern_call("alpha_echo", request_id=2))
    assert {answer["id"] for answer in answers} == {1, 2}


def test_an_unknown_tool_and_an_unknown_method_are_errors_of_the_protocol() -> None:
    answers = _converse(
        initialize(),
        notification("notifications/initialized"),
        legacy_call("alpha_nothing", request_id=1),
        request("tools/fly", request_id=2),
    )
    codes = {answer["id"]: answer["error"]["code"] for answer in answers if "error" in answer}
    assert codes == {1: -32602, 2: -32601}


@promise("T6")
def test_a_thousand_calls_in_parallel_on_one_pipe_are_all_answered() -> None:
    calls = [legacy_call("alpha_echo", {"text": f"call {number}"}, request_id=number) for number in range(1_000)]
    answers = _converse(initialize(), notification("notifications/initialized"), *calls)
    texts = {answer["id"]: answer["result"]["content"][0]["text"] for answer in answers if answer["id"] != "init"}
    assert texts == {number: f"call {number}" for number in range(1_000)}
