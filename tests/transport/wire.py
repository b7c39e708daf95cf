"""Requests as bytes on a socket, and what comes back."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.transport.serving import Running

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
META = "io.modelcontextprotocol/"
ALPHA = "/api/alpha/streamable-http"
SECONDS = 5.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; ``messages`` are its JSON-RPC messages, from JSON or from an event stream."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def messages(self) -> list[Json]:
        if not self.body:
            return []
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            lines = self.body.decode().splitlines()
            return [json.loads(line[6:]) for line in lines if line.startswith("data: ") and line[6:].strip()]
        return [json.loads(self.body)]

    @property
    def last(self) -> Json:
        return self.messages[-1]

    @property
    def code(self) -> int:
        return cast("int", self.last["error"]["code"])

    @property
    def text(self) -> str:
        return cast("str", self.last["result"]["content"][0]["text"])


def envelope(version: str = MODERN, /, **more: object) -> Json:
    return {
        f"{META}protocolVersion": version,
        f"{META}clientCapabilities": {},
        f"{META}clientInfo": {"name": "test", "version": "1"},
        **more,
    }


def request(method: str, params: Json | None = None, *, request_id: object = 1) -> Json:
    message: Json = {"jsonrpc": "2.0", "id": request_id, "method": method}
    if params is not None:
        message["params"] = params
    return message


def modern_call(tool: str, arguments: Json | None = None, /, *, request_id: object = 1, **meta: object) -> Json:
    return request(
        "tools/call", {"name": tool, "arguments": arguments or {}, "_meta": envelope(**meta)}, request_id=request_id
    )


def legacy_call(tool: str, arguments: Json | None = None, /, *, request_id: object = 1, **meta: object) -> Json:
    params: Json = {"name": tool, "arguments": arguments or {}}
    if meta:
        params["_meta"] = meta
    return request("tools/call", params, request_id=request_id)


def base_headers(version: str | None) -> dict[str, str]:
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    if version is not None:
        headers["mcp-protocol-version"] = version
    return headers


def headers_for(message: Json) -> dict[str, str]:
    """The headers a client of the message's era sends with it."""
    params = cast("Json", message.get("params") or {})
    meta = params.get("_meta")
    version = cast("Json", meta).get(f"{META}protocolVersion") if isinstance(meta, dict) else None
    if version is None:
        return base_headers(LEGACY)
    headers = {**base_headers(str(version)), "mcp-method": str(message["method"])}
    if "name" in params:
        headers["mcp-name"] = str(params["name"])
    return headers


def exchange(
    server: Running, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    try:
        connection.request(method, path, body=body or None, headers=dict(headers or {}))
        got = connection.getresponse()
        return Answer(got.status, {key.lower(): value for key, value in got.getheaders()}, got.read())
    finally:
        connection.close()


def post(
    server: Running, message: object, *, path: str = ALPHA, headers: Mapping[str, str | None] | None = None
) -> Answer:
    """Post a message, or bytes, with the headers of its era; a header given as None is left out."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    usual = headers_for(cast("Json", message)) if isinstance(message, dict) else base_headers(LEGACY)
    merged = {key: value for key, value in {**usual, **(headers or {})}.items() if value is not None}
    return exchange(server, "POST", path, body=body, headers=merged)


def get(server: Running, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    return exchange(server, "GET", path, headers=headers)


def head(server: Running, path: str = ALPHA, /, **fields: str) -> bytes:
    """The head of a POST as bytes, for what a decent client library refuses to send."""
    usual = {"host": f"127.0.0.1:{server.port}", **base_headers(LEGACY), **fields}
    lines = [f"POST {path} HTTP/1.1", *(f"{key}: {value}" for key, value in usual.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def raw_exchange(server: Running, data: bytes) -> Answer:
    """Send bytes as they are; the answer to them."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(data)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    got = http.client.HTTPResponse(connection)
    got.begin()
    return Answer(got.status, {key.lower(): value for key, value in got.getheaders()}, got.read())
