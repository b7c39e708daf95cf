"""The HTTP client a service is given: the interface; ``upstream/`` implements it.

One pool serves all backends. Credentials belong to a request, not to a connection. Every request has a deadline and a
cap on the decoded bytes of its answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from cloud_native_mcp.contract.deadline import Deadline


class Credentials(Protocol):
    """Makes the headers that authenticate a request."""

    async def headers(self) -> Mapping[str, str]:
        """Headers for the next request (may read a file or run a plugin; bounded in time)."""
        ...

    async def refresh(self) -> bool:
        """Called after a 401. True when fresh credentials were obtained, so that one retry makes sense."""
        ...


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate (with its chain) and its key, as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


class CertificateSource(Protocol):
    """Gives a client certificate that may change while the server runs."""

    def certificate(self) -> ClientCertificate | None:
        """The one that belongs to the headers which the target's credentials gave last; None without one."""
        ...


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """TLS of a target. Files are read again when they change. ``server_name`` is checked in place of the host."""

    ca_file: Path | None = None
    ca_data: bytes | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    cert_data: bytes | None = None
    key_data: bytes | None = field(default=None, repr=False)
    server_name: str | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """One backend: where it is and how to reach it.

    ``service`` and ``name`` label metrics and error texts; ``base_url`` may hold a path prefix, never user info. A
    certificate that ``certificates`` gives takes the place of that in ``tls``.
    """

    service: str
    name: str
    base_url: str
    credentials: Credentials | None = None
    tls: TlsOptions = field(default_factory=TlsOptions)
    proxy: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    compress: bool = True
    certificates: CertificateSource | None = None

    @property
    def present_tls(self) -> TlsOptions:
        """TLS with the client certificate as it is now."""
        given = self.certificates.certificate() if self.certificates is not None else None
        if given is None:
            return self.tls
        return replace(self.tls, cert_file=None, key_file=None, cert_data=given.certificate, key_data=given.key)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer, body decoded from its content coding. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpStream(Protocol):
    """An answer whose body is read in parts."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names are lower case."""
        ...

    def parts(self) -> AsyncIterator[bytes]:
        """Decoded parts of the body as they arrive; ends at the end of the body or raises `BackendError`."""
        ...


class HttpSocket(Protocol):
    """A WebSocket, or the answer that came in its place: it is open when ``status`` is 101."""

    @property
    def status(self) -> int:
        """The HTTP status; 101 when the connection became a WebSocket."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names are lower case."""
        ...

    @property
    def body(self) -> bytes:
        """The beginning of the answer in place of a WebSocket; empty when there is one."""
        ...

    @property
    def protocol(self) -> str:
        """The subprotocol the server chose of those offered; empty when it chose none."""
        ...

    async def send(self, data: bytes) -> None:
        """Send one binary message; raises `BackendError` when the connection is gone."""
        ...

    async def receive(self) -> bytes | None:
        """The next message, text as UTF-8; None when the other side closed or the connection broke."""
        ...


RequestHeaders: TypeAlias = "Mapping[str, str | tuple[str, ...]]"
"""Headers of one request; a tuple is a header sent once for each of its values."""


class HttpClient(Protocol):
    """Requests to one target.

    Every method raises `BackendError` with ``unreachable`` (DNS, refused, TLS, reset: named), ``timeout`` or
    ``bad_answer`` (cut body, over the cap). An answer of any status is returned, not raised: the service knows what a
    status means (`upstream.status.raise_for_status` gives the usual reading).
    """

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
        max_bytes: int = 64_000_000,
    ) -> HttpResponse:
        """One request and its whole answer.

        Args:
            path: already percent-encoded, joined to the base URL.
            read: whether the request changes nothing (default: by method), so that it may be retried at most twice on
                502, 503, 504, a reset or a refused connection, within the deadline. Writes are never sent twice.
            max_bytes: cap on decoded bytes; ``bad_answer`` beyond it.
        """
        ...

    def stream(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        params: Sequence[tuple[str, str]] = (),
        headers: RequestHeaders | None = None,
        body: bytes | None = None,
        read: bool | None = None,
        max_bytes: int = 64_000_000,
    ) -> AbstractAsyncContextManager[HttpStream]:
        """One request whose body is read in parts; leaving the block early closes the connection.

        ``read`` as in `request`; only opening the stream is ever repeated, never reading it.
        """
        ...

    def socket(
        self,
        path: str,
        *,
        deadline: Deadline,
        protocols: Sequence[str],
        params: Sequence[tuple[str, str]] = (),
        headers: RequestHeaders | None = None,
        read: bool = False,
    ) -> AbstractAsyncContextManager[HttpSocket]:
        """A WebSocket (RFC 6455) with one of these subprotocols, the preferred one first.

        ``deadline`` is for opening it; reading and sending take as long as the caller lets them. Leaving the block
        closes the connection. ``read`` as in `request`: whether opening it changes nothing.
        """
        ...


class HttpPool(Protocol):
    """Makes clients; connections of one host and TLS identity are shared."""

    def client(self, target: HttpTarget) -> HttpClient:
        """A client for the target. Nothing is contacted."""
        ...
