"""The SDK's low-level server as shipped, with the same tools: ``python -m bench.engine.sdk_server PORT``."""

from __future__ import annotations

import sys
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server

from bench.engine import catalogue


def build() -> Server[Any]:
    """A server that lists and answers the fixture tools."""
    tools = [types.Tool.model_validate(tool) for service in catalogue.load().values() for tool in service]

    async def list_tools(_ctx: object, _params: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(_ctx: object, _params: object) -> types.CallToolResult:
        return types.CallToolResult(content=[types.TextContent(type="text", text=catalogue.ANSWER)])

    return Server("sdk", version="0", on_list_tools=list_tools, on_call_tool=call_tool)


if __name__ == "__main__":
    uvicorn.run(build().streamable_http_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
