"""One WebSocket to a backend: opened with the credentials, TLS and proxy of a request (RFC 6455)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp import hdrs

from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.upstream.errors import AttemptError, Phase, explain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from cloud_native_mcp.upstream.exchange import Order

SWITCHING_PROTOCOLS: Final = 101
CLOSE_SECONDS: Final = 2.0
"""How long the other side may take to answer a close before the connection is dropped."""
MOST_MESSAGE_BYTES: Final = 4_000_000
_REFUSAL_BYTES: Final = 64_000


class _RefusedError(Exception):
    """The server answered the request for a WebSocket with something else."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        super().__init__(status)


class Socket:
    """Implements `contract.http.HttpSocket`."""

    __slots__ = ("_label", "_socket", "body", "headers", "protocol", "status")

    def __init__(
        self,
        label: str,
        socket: aiohttp.ClientWebSocketResponse | None,
        *,
        status: int = SWITCHING_PROTOCOLS,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        self._label = label
        self._socket = socket
        self.status = status
        self.headers = headers or {}
        self.body = body
        self.protocol = (socket.protocol or "") if socket is not None else ""

    async def send(self, data: bytes) -> None:
        """Send one binary message, as soon as the connection takes it."""
        if self._socket is None:
            raise BackendError("bad_answer", f"{self._label}: there is no WebSocket to send on")
        try:
            await self._socket.send_bytes(data)
        except (aiohttp.ClientError, OSError) as error:
            raise BackendError("unreachable", f"{self._label}: the connection was closed while sending") from error

    async def receive(self) -> bytes | None:
        """The next message; None at the end, however it came."""
        if self._socket is None:
            return None
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data).encode()
        return None


async def refuse_other_answers(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Middleware of a session: what comes in place of a WebSocket is read here, before a redirect is followed."""
    response = await handler(request)
    if hdrs.UPGRADE not in request.headers or response.status == SWITCHING_PROTOCOLS:
        return response
    try:
        headers = {name.lower(): value for name, value in response.headers.items()}
        raise _RefusedError(response.status, headers, await _beginning(response))
    finally:
        response.close()


@contextlib.asynccontextmanager
async def connect(session: aiohttp.ClientSession, order: Order, protocols: Sequence[str]) -> AsyncGenerator[Socket]:
    """Ask for a WebSocket; leaving the block closes it, with a word to the other side where that is quick.

    Raises:
        AttemptError: no answer came, or one that is no WebSocket and no refusal either.
    """
    try:
        async with order.deadline.enforce():
            socket = await session.ws_connect(
                order.url,
                protocols=protocols,
                headers=order.headers,
                ssl=order.tls if order.tls is not None else True,
                server_hostname=order.server_name,
                proxy=order.proxy,
                max_msg_size=MOST_MESSAGE_BYTES,
            )
    except _RefusedError as refused:
        yield Socket(order.label, None, status=refused.status, headers=refused.headers, body=refused.body)
        return
    except aiohttp.WSServerHandshakeError as error:
        raise AttemptError(
            "bad_answer", order.label, f"{order.address.shown} did not open a valid WebSocket"
        ) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        # Whether the request was sent already is not told apart here: what may have been is taken for sent.
        raise explain(error, label=order.label, address=order.address, phase=Phase.WAITING, read=order.read) from error
    try:
        yield Socket(order.label, socket)
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await socket.close()


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    read = b""
    async for part in response.content.iter_any():
        read += part
        if len(read) > _REFUSAL_BYTES:
            break
    return read[:_REFUSAL_BYTES]
