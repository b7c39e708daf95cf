"""Clients of the older era, as far as tests need to see every frame."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Self, cast

from tests.transport.wire import ALPHA, LEGACY, SECONDS, Answer, Json, base_headers, head, post, read_answer, request

if TYPE_CHECKING:
    from tests.transport.serving import Running


def initialize(version: str = LEGACY) -> Json:
    return request(
        "initialize",
        {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
        request_id="init",
    )


def notification(method: str, params: Json | None = None) -> Json:
    return {"jsonrpc": "2.0", "method": method, **({"params": params} if params else {})}


def open_session(server: Running, *, path: str = ALPHA, headers: dict[str, str] | None = None) -> dict[str, str]:
    """Open a session; the headers that name it."""
    opened = post(server, initialize(), path=path, headers={"mcp-protocol-version": None, **(headers or {})})
    assert opened.status == 200
    named = {"mcp-session-id": opened.headers["mcp-session-id"], **(headers or {})}
    assert post(server, notification("notifications/initialized"), path=path, headers=named).status == 202
    return named


class Stream:
    """An event stream being read: the answer of a POST, or a GET."""

    def __init__(self, server: Running, path: str, message: Json | None = None, /, **fields: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        if message is None:
            lines = [f"GET {path} HTTP/1.1", f"host: 127.0.0.1:{server.port}", "accept: text/event-stream"]
            lines += [f"{key}: {value}" for key, value in fields.items()]
            self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        else:
            body = json.dumps(message).encode()
            named = {**base_headers(LEGACY), "content-length": str(len(body)), **fields}
            self._socket.sendall(head(server, path, **named) + body)
        self._file = self._socket.makefile("rb")

    def line(self, start: bytes) -> str | None:
        """The rest of the next line with that start; None at the end of the stream."""
        for line in self._file:
            if line.startswith(start):
                return line[len(start) :].decode().strip()
        return None

    def status(self) -> int:
        return int((self.line(b"HTTP/1.1 ") or "0")[:3])

    def message(self) -> Json:
        """The next JSON-RPC message; empty at the end of the stream."""
        while (text := self.line(b"data: ")) is not None:
            if text.startswith("{"):
                return cast("Json", json.loads(text))
        return {}

    def answer(self) -> Answer:
        """The whole answer, of a stream not read from yet."""
        return read_answer(self._socket)

    def ended_in_order(self) -> bool:
        """Whether the rest of the stream ends with the last chunk of HTTP/1.1."""
        return any(line == b"0\r\n" for line in self._file)

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SseClient(Stream):
    """A client of HTTP+SSE (2024-11-05) that has shaken hands."""

    def __init__(self, server: Running, path: str = "/api/alpha/sse", /, **fields: str) -> None:
        super().__init__(server, path, **fields)
        self._server = server
        self.fields = fields
        assert self.status() == 200
        self.messages_path = self.line(b"data: ") or ""
        self.send(initialize("2024-11-05"))
        assert self.message()["id"] == "init"
        self.send(notification("notifications/initialized"))

    def send(self, message: Json) -> None:
        headers: dict[str, str | None] = {"mcp-protocol-version": None, **self.fields}
        assert post(self._server, message, path=self.messages_path, headers=headers).status == 202
