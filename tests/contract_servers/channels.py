"""WebSockets of an API server as commands and port-forwards use them: what the lab's kubelets do not do.

A server's half of RFC 6455, and Kubernetes' channels on top. Facts: `docs/testing.md`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

from tests.fault_server.wire import head

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Connection, Request

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BINARY, _CLOSING = 2, 8


class Peer:
    """The server's end of an open WebSocket."""

    def __init__(self, connection: Connection, protocol: str) -> None:
        self._connection = connection
        self.protocol = protocol

    async def send(self, channel: int, data: bytes) -> bool:
        """One message on a channel; False when the client is gone."""
        return await self._frame(_BINARY, bytes((channel,)) + data)

    async def receive(self) -> tuple[int, bytes] | None:
        """The next message of the client by channel; None when it closes or is gone."""
        first = await self._connection.exactly(2)
        if first is None or first[0] & 0x0F == _CLOSING:
            return None
        size = first[1] & 0x7F
        if size >= 126:
            size = int.from_bytes(await self._connection.exactly(2 if size == 126 else 8) or b"", "big")
        mask = await self._connection.exactly(4) or b""
        masked = await self._connection.exactly(size) or b""
        data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
        return data[0], data[1:]

    async def close(self) -> None:
        """Close with status 1000, and the connection behind it."""
        await self._frame(_CLOSING, (1000).to_bytes(2, "big"))
        await self._connection.close()

    async def _frame(self, kind: int, data: bytes) -> bool:
        size = bytes((len(data),)) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
        return await self._connection.send(bytes((0x80 | kind,)) + size + data)


async def accept(connection: Connection, request: Request, spoken: Sequence[str]) -> Peer | None:
    """Open the WebSocket with the first offered protocol that is spoken; none is refused as API servers do."""
    offered = [name.strip() for name in request.headers.get("sec-websocket-protocol", "").split(",")]
    chosen = next((name for name in offered if name in spoken), None)
    if chosen is None:
        await connection.send(head(403, {"Content-Length": "0"}))
        return None
    key = request.headers["sec-websocket-key"].encode()
    accepted = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
    fields = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accepted}
    await connection.send(head(101, {**fields, "Sec-WebSocket-Protocol": chosen}))
    return Peer(connection, chosen)


def exited(code: int) -> dict[str, object]:
    """The Status of a command that ended with that code, as kubelets give it."""
    if not code:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def not_run(message: str) -> dict[str, object]:
    """The Status of a command that the container runtime could not run."""
    return {
        "status": "Failure",
        "message": f"Internal error occurred: {message}",
        "reason": "InternalError",
        "code": 500,
    }


def command(
    *messages: tuple[int, bytes],
    status: dict[str, object] | None = None,
    spoken: Sequence[str] = (V5, V4),
    given: bytearray | None = None,
) -> Behaviour:
    """A command that writes these messages by channel and ends with a status, or without one.

    Args:
        given: when not None, the command first reads its input to the end, and puts it there.
    """

    async def act(connection: Connection, request: Request) -> None:
        peer = await accept(connection, request, spoken)
        if peer is None:
            return
        await peer.send(STDOUT, b"")
        if given is not None:
            await _read_input(peer, given)
        for channel, data in messages:
            await peer.send(channel, data)
        if status is not None:
            await peer.send(ERROR, json.dumps(status).encode())
        await peer.close()

    return act


async def _read_input(peer: Peer, given: bytearray) -> None:
    while (message := await peer.receive()) is not None:
        channel, data = message
        if channel == CLOSE:
            return
        if channel == STDIN:
            given += data


def reading(given: bytearray, ended: asyncio.Event, *, spoken: Sequence[str] = (V5, V4)) -> Behaviour:
    """An attached container that reads its input to the end, and holds the connection until the client leaves it."""

    async def act(connection: Connection, request: Request) -> None:
        peer = await accept(connection, request, spoken)
        if peer is None:
            return
        await _read_input(peer, given)
        ended.set()
        while await peer.receive() is not None:
            pass
        await peer.close()

    return act
