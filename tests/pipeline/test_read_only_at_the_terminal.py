"""The read-only server at the terminal: standard input and output, and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

from tests.cli.terminal import COMMAND, Terminal
from tests.pipeline.changes import CHANGES
from tests.promises import promise
from tests.server_fixtures import lines_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.configure()
    return made


@promise("S1")
async def test_a_change_over_standard_input_is_refused_audited_and_not_done(terminal: Terminal) -> None:
    parameters = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "stdio"], env=terminal.environment, cwd=terminal.folder
    )
    with (terminal.folder / "log").open("w", encoding="utf-8") as log:
        async with Client(stdio_client(parameters, errlog=log)) as client:
            before = await client.call_tool("ledger_list", {})
            for tool, arguments in CHANGES:
                answer = await client.call_tool(tool, arguments)
                assert answer.is_error
                assert "effect_not_allowed" in str(answer.content)
            after = await client.call_tool("ledger_list", {})
    assert after.content == before.content
    _all_refused(terminal, door="stdio", calls=len(CHANGES))


@promise("S1")
def test_a_change_from_the_command_line_is_refused_and_audited(terminal: Terminal) -> None:
    ran = terminal.run("call", "ledger_add", "what=a gift", "replace:=true")
    assert ran.code == 1
    assert ran.out == ""
    assert "effect_not_allowed" in ran.err
    _all_refused(terminal, door="cli", calls=1)


def _all_refused(terminal: Terminal, *, door: str, calls: int) -> None:
    lines = [line for line in lines_of(terminal.folder / "audit.jsonl") if line["tool"] != "ledger_list"]
    assert len(lines) == calls
    assert {(line["door"], line["outcome"], line["stage"]) for line in lines} == {(door, "refused", "authorise")}
