"""The requests of the engine's bench, in the 2026-07-28 revision of the protocol."""

from __future__ import annotations

import json
from typing import Final

from bench.http_load import http_request

VERSION: Final = "2026-07-28"
_META: Final = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}


def list_request(host: str, headers: dict[str, str]) -> bytes:
    """One ``tools/list``."""
    return _message(host, "tools/list", {}, headers)


def call_request(host: str, tool: str, arguments: dict[str, object], headers: dict[str, str]) -> bytes:
    """One ``tools/call``."""
    return _message(host, "tools/call", {"name": tool, "arguments": arguments}, headers | {"Mcp-Name": tool})


def _message(host: str, method: str, params: dict[str, object], headers: dict[str, str]) -> bytes:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": _META}}
    protocol = {"MCP-Protocol-Version": VERSION, "Mcp-Method": method}
    return http_request("/mcp", json.dumps(body).encode(), host=host, headers=protocol | headers)
