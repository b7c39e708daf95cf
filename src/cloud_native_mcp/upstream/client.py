"""Requests to one target: credentials, retries, breaker, deadline."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from cloud_native_mcp import __version__
from cloud_native_mcp.contract.http import HttpResponse
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.upstream.credentials import Renewal
from cloud_native_mcp.upstream.errors import AttemptError, label_of
from cloud_native_mcp.upstream.exchange import Answer, Order, exchange
from cloud_native_mcp.upstream.retry import RETRIED_STATUSES, changes_nothing, pause_before, retry_after
from cloud_native_mcp.upstream.websocket import Socket, connect

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
    from contextlib import AbstractAsyncContextManager

    import aiohttp

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpTarget, RequestHeaders
    from cloud_native_mcp.upstream.address import Address
    from cloud_native_mcp.upstream.breaker import Breaker
    from cloud_native_mcp.upstream.observer import UpstreamObserver
    from cloud_native_mcp.upstream.tls import TlsContexts

AnswerT = TypeVar("AnswerT", HttpResponse, Answer, Socket)
OpenedT = TypeVar("OpenedT", Answer, Socket)
DEFAULT_MAX_BYTES = 64_000_000
_Way: TypeAlias = "Callable[[aiohttp.ClientSession, Order], AbstractAsyncContextManager[OpenedT]]"
_UNCOMPRESSED = {"Accept-Encoding": "identity"}
_USER_AGENT = f"cloud-native-mcp-server/{__version__}"


class Sessions(Protocol):
    """Where connections come from."""

    def session(self, target: HttpTarget, address: Address, *, stream: bool) -> aiohttp.ClientSession:
        """The session for requests of that target."""
        ...


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    params: Sequence[tuple[str, str]]
    headers: RequestHeaders
    body: bytes | None
    read: bool
    deadline: Deadline
    max_bytes: int
    stream: bool


class Client:
    """Implements `contract.http.HttpClient` for one target."""

    def __init__(
        self,
        target: HttpTarget,
        address: Address,
        *,
        sessions: Sessions,
        tls: TlsContexts,
        breaker: Breaker,
        observer: UpstreamObserver,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = target
        self.address = address
        self.label = label_of(target)
        self._sessions = sessions
        self._tls = tls
        self._breaker = breaker
        self._observer = observer
        self._clock = clock
        self._renewal = Renewal(target.credentials) if target.credentials else None
        self._identity = target.tls

    async def request(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        params: Sequence[tuple[str, str]] = (),
        headers: RequestHeaders | None = None,
        body: bytes | None = None,
        read: bool | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> HttpResponse:
        """One request and its whole answer, as `contract.http.HttpClient.request` says."""
        request = _Request(
            method, path, params, headers or {}, body, changes_nothing(method, read), deadline, max_bytes, stream=False
        )
        return await self._guarded(request, self._whole)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        params: Sequence[tuple[str, str]] = (),
        headers: RequestHeaders | None = None,
        body: bytes | None = None,
        read: bool | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> AsyncGenerator[Answer]:
        """One request whose body is read in parts; opening it is retried as a request is, reading never."""
        request = _Request(
            method, path, params, headers or {}, body, changes_nothing(method, read), deadline, max_bytes, stream=True
        )
        async with contextlib.AsyncExitStack() as stack:

            async def opened(order: Order) -> Answer:
                await stack.aclose()
                return await stack.enter_async_context(self._attempt(exchange, order, stream=True))

            yield await self._guarded(request, opened)

    @contextlib.asynccontextmanager
    async def socket(
        self,
        path: str,
        *,
        deadline: Deadline,
        protocols: Sequence[str],
        params: Sequence[tuple[str, str]] = (),
        headers: RequestHeaders | None = None,
        read: bool = False,
    ) -> AsyncGenerator[Socket]:
        """A WebSocket, as `contract.http.HttpClient.socket` says."""
        sent = {**_UNCOMPRESSED, **(headers or {})}
        request = _Request("GET", path, params, sent, None, read, deadline, DEFAULT_MAX_BYTES, stream=True)
        async with contextlib.AsyncExitStack() as stack:

            async def opened(order: Order) -> Socket:
                await stack.aclose()
                attempt = self._attempt(partial(connect, protocols=protocols), order, stream=True)
                return await stack.enter_async_context(attempt)

            yield await self._guarded(request, opened)

    async def _whole(self, order: Order) -> HttpResponse:
        async with self._attempt(exchange, order, stream=False) as answer:
            return HttpResponse(answer.status, answer.headers, await answer.whole())

    async def _guarded(self, request: _Request, attempt: Callable[[Order], Awaitable[AnswerT]]) -> AnswerT:
        """Repeat the request under the breaker, and tell it how the last attempt ended."""
        self._breaker.admit()
        try:
            answer = await self._repeat(request, attempt)
        except AttemptError as failure:
            if failure.connection:
                self._breaker.failed(failure.reason)
            elif failure.code == "timeout":
                self._breaker.abandoned()
            else:
                self._breaker.connected()
            raise
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.connected()
        return answer

    async def _repeat(self, request: _Request, attempt: Callable[[Order], Awaitable[AnswerT]]) -> AnswerT:
        """Send the request until an answer is final: fresh credentials once after a 401, else as `retry` says."""
        renewed = False
        attempts = 0
        while True:
            attempts += 1
            generation, order = await self._order(request)
            try:
                answer = await attempt(order)
            except AttemptError as failure:
                pause = pause_before(attempts, request.deadline) if request.read and failure.again else None
                if pause is None:
                    raise
            else:
                if answer.status == 401 and not renewed and await self._renew(generation, request.deadline):
                    renewed = True
                    continue
                if not request.read or answer.status not in RETRIED_STATUSES:
                    return answer
                pause = pause_before(attempts, request.deadline, asked=retry_after(answer.headers))
                if pause is None:
                    return answer
            await asyncio.sleep(pause)

    async def _order(self, request: _Request) -> tuple[int, Order]:
        """The request with present credentials and TLS files, and the number of these credentials."""
        generation, authentication = 0, dict[str, str]()
        if self._renewal is not None:
            with self._credentials_in_time():
                async with request.deadline.enforce():
                    generation, given = await self._renewal.headers()
            authentication.update(given)
        compress = self.target.compress and not self.address.loopback
        headers: RequestHeaders = {
            "User-Agent": _USER_AGENT,
            "Accept-Encoding": "gzip" if compress else "identity",
            **self.target.headers,
            **request.headers,
            **authentication,
        }
        secure = self.address.scheme == "https"
        order = Order(
            method=request.method,
            url=self.address.url(request.path, urlencode(request.params, quote_via=quote)),
            headers=_one_by_one(headers),
            body=request.body,
            read=request.read,
            deadline=request.deadline,
            max_bytes=request.max_bytes,
            tls=self._context() if secure else None,
            server_name=self.target.tls.server_name if secure else None,
            proxy=self.target.proxy,
            label=self.label,
            address=self.address,
        )
        return generation, order

    def _context(self) -> ssl.SSLContext:
        """The context of the present client certificate; that of an earlier one is forgotten.

        Connections are kept by their context, so none of an earlier certificate is used again: it closes when idle.
        """
        identity = self.target.present_tls
        if identity != self._identity:
            self._tls.forget(self._identity)
            self._identity = identity
        return self._tls.context(identity, label=self.label)

    async def _renew(self, generation: int, deadline: Deadline) -> bool:
        if self._renewal is None:
            return False
        with self._credentials_in_time():
            async with deadline.enforce():
                return await self._renewal.renew(generation)

    @contextlib.contextmanager
    def _credentials_in_time(self) -> Generator[None]:
        try:
            yield
        except TimeoutError as error:
            raise BackendError("timeout", f"{self.label}: the deadline passed while getting credentials") from error

    @contextlib.asynccontextmanager
    async def _attempt(self, way: _Way[OpenedT], order: Order, *, stream: bool) -> AsyncGenerator[OpenedT]:
        started = self._clock()
        outcome = "cancelled"
        try:
            session = self._sessions.session(self.target, self.address, stream=stream)
            async with way(session, order) as answer:
                outcome = str(answer.status)
                yield answer
        except BackendError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self._observer.request(self.target.service, self.target.name, outcome, self._clock() - started)


def _one_by_one(headers: RequestHeaders) -> list[tuple[str, str]]:
    """Each header with each of its values."""
    sent: list[tuple[str, str]] = []
    for name, value in headers.items():
        sent += [(name, value)] if isinstance(value, str) else [(name, one) for one in value]
    return sent
