"""One attempt of one request over one connection."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from cloud_native_mcp.upstream.body import decoded
from cloud_native_mcp.upstream.errors import AttemptError, Phase, explain, unknown_outcome

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
    from types import SimpleNamespace

    from yarl import URL

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.upstream.address import Address


@dataclass(frozen=True, slots=True)
class Order:
    """A request ready to be sent."""

    method: str
    url: URL
    headers: Sequence[tuple[str, str]]
    body: bytes | None
    read: bool
    deadline: Deadline
    max_bytes: int
    tls: ssl.SSLContext | None
    server_name: str | None
    proxy: str | None
    label: str
    address: Address


@dataclass(slots=True)
class Progress:
    """How far an attempt is; written by the session's trace."""

    phase: Phase = Phase.CONNECTING


def phase_trace() -> aiohttp.TraceConfig:
    """The trace that tells a connection that failed from a request that was sent."""
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_headers_sent)
    return trace


async def _headers_sent(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    progress = context.trace_request_ctx
    if isinstance(progress, Progress):
        progress.phase = Phase.WAITING


class Answer:
    """An answer whose head has come; the body is read by `parts`."""

    __slots__ = ("_order", "_response", "headers", "status")

    def __init__(self, order: Order, response: aiohttp.ClientResponse) -> None:
        self._order = order
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    async def parts(self) -> AsyncIterator[bytes]:
        """Decoded parts of the body; raises `BackendError` as `contract.http.HttpStream.parts` says."""
        if self._order.method == "HEAD":
            return
        raw = self._response.content.iter_any()
        parts = decoded(raw, self.headers, max_bytes=self._order.max_bytes, label=self._order.label)
        try:
            async with self._order.deadline.enforce():
                async for part in parts:
                    yield part
        except AttemptError as error:
            if self._order.read:
                raise
            raise unknown_outcome(self._order.label, error.reason) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _explained(self._order, error, Phase.READING) from error

    async def whole(self) -> bytes:
        """The whole body."""
        return b"".join([part async for part in self.parts()])


@contextlib.asynccontextmanager
async def exchange(session: aiohttp.ClientSession, order: Order) -> AsyncGenerator[Answer]:
    """Send the request and give the answer once its head is there.

    Leaving the block before the body has ended closes the connection, so that nothing half-read is used again.

    Raises:
        AttemptError: no head came.
    """
    progress = Progress()
    try:
        async with order.deadline.enforce():
            response = await session.request(
                order.method,
                order.url,
                headers=order.headers,
                data=order.body,
                allow_redirects=False,
                ssl=order.tls if order.tls is not None else True,
                server_hostname=order.server_name,
                proxy=order.proxy,
                trace_request_ctx=progress,
            )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _explained(order, error, progress.phase) from error
    whole = False
    try:
        yield Answer(order, response)
        whole = response.content.at_eof()
    finally:
        if whole:
            response.release()
        else:
            response.close()


def _explained(order: Order, error: aiohttp.ClientError | TimeoutError | OSError, phase: Phase) -> AttemptError:
    return explain(error, label=order.label, address=order.address, phase=phase, read=order.read)
