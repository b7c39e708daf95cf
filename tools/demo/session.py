"""The scripted session of an MCP client, shown as it happens."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.demo.script import Step
    from tools.demo.server import Address

SHOWN_LINES: Final = 24

_console = Console(highlight=False, soft_wrap=True)


async def play(address: Address, steps: Sequence[Step]) -> list[str]:
    """Run the session; returns the questions that were not answered as the script says."""
    async with httpx2.AsyncClient(headers={"X-API-Key": address.key}, timeout=60) as http:
        transport = streamable_http_client(address.url, http_client=http)
        async with Client(transport) as client:
            listed = (await client.list_tools()).tools
            size = sum(len(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in listed)
            _title(f"tools/list: {len(listed)} tools, about {size // 4} tokens")
            _console.print(", ".join(tool.name for tool in listed), style="dim")
            return [step.question for step in steps if not await _ask(client, step)]


async def _ask(client: Client, step: Step) -> bool:
    """Make one call and show it; whether it ended as the script says."""
    _title(step.question)
    shown = " ".join(f"{name}={_plain(value)}" for name, value in step.arguments.items())
    _console.print(Text.assemble(("→ ", "bold cyan"), (step.tool, "bold"), " ", shown))
    began = time.perf_counter()
    try:
        answer = await client.call_tool(step.tool, dict(step.arguments))
    except MCPError as error:
        _console.print(Text(f"  {error}", style="red"))
        return False
    milliseconds = (time.perf_counter() - began) * 1000
    text = _text(answer)
    lines = text.splitlines()
    for line in lines[:SHOWN_LINES]:
        _console.print(Text("  " + line, style="yellow" if answer.is_error else ""))
    if len(lines) > SHOWN_LINES:
        _console.print(f"  … {len(lines) - SHOWN_LINES} more lines", style="dim")
    _console.print(f"  {len(text.encode())} bytes, {milliseconds:.0f} ms", style="dim")
    return bool(answer.is_error) is step.refused


def _text(answer: CallToolResult) -> str:
    return "\n".join(block.text for block in answer.content if isinstance(block, TextContent))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _title(text: str) -> None:
    _console.print()
    _console.print(Text(f"── {text}", style="bold green"))
