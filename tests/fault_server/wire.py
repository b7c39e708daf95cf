"""One connection to the fault server: requests read, bytes written as they are, ends of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. Header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


def head(status: int, headers: Mapping[str, str] = NO_HEADERS) -> bytes:
    """The head of an answer, with exactly the headers given."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def as_body(value: object) -> bytes:
    """Bytes as they are, text encoded, anything else as JSON."""
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


class Connection:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.ended = False

    async def request(self) -> Request | None:
        """The next request, or None when the client closed, or speaks TLS to a plain port (answered as servers do)."""
        try:
            first = await self._reader.readexactly(1)
            if first == b"\x16":
                await self.send(head(400, {"Content-Length": "0"}))
                return None
            raw = first + await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        start, *lines = raw.decode("latin-1").split("\r\n")
        method, target, _ = start.split(" ", 2)
        pairs = (line.partition(":") for line in lines if line)
        headers: dict[str, str] = {}
        for shown, _, value in pairs:  # repeated ones are one list (RFC 9110, 5.2)
            name = shown.strip().lower()
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Request(method, target, headers, body)

    async def exactly(self, count: int) -> bytes | None:
        """So many bytes of what follows a request (after an upgrade), or None when the client closed."""
        try:
            return await self._reader.readexactly(count)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended = True
            return None

    async def send(self, data: bytes) -> bool:
        """Write the bytes; False when the client is gone."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            self.ended = True
        return not self.ended

    async def client_closed(self) -> None:
        """Wait until the client closes its side; what it still sends is dropped."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65_536):
                pass
        self.ended = True

    def reset(self) -> None:
        """End the connection with RST."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        self.ended = True

    async def close(self) -> None:
        """End the connection with FIN, after what was written."""
        self.ended = True
        self._writer.close()
        with contextlib.suppress(ConnectionError, OSError):
            await self._writer.wait_closed()
