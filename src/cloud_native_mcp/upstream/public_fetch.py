"""GET of addresses that callers choose: every hop admitted by the guard, the connection pinned to a checked address.

No cookies, no headers of the caller, no proxy of the environment; what headers the server itself gives (conditions,
credentials of a repository) stay with the origin they were given for.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from cloud_native_mcp import __version__
from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.upstream.address import Address
from cloud_native_mcp.upstream.body import decoded
from cloud_native_mcp.upstream.errors import Phase, explain
from cloud_native_mcp.upstream.tls import TlsContexts
from cloud_native_mcp.upstream.web_address import WebAddress, parse_web_address

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.upstream.egress import EgressGuard

MOST_REDIRECTS: Final = 3
CONNECT_SECONDS: Final = 5.0
_CONNECTIONS: Final = 16
_ADDRESSES_TRIED: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_RATIO: Final = 200
"""Decoded bytes per coded byte, from `_RATIO_FROM` decoded bytes on."""
_RATIO_FROM: Final = 500_000
_HEADERS: Final = {
    "User-Agent": f"cloud-native-mcp-server/{__version__}",
    "Accept": "text/html, application/json, text/*;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip",
}


class PublicAnswer:
    """The answer of the last hop; its body is read by `read`, once.

    Attributes:
        url: the final address.
        hops: redirects followed.
    """

    def __init__(self, response: aiohttp.ClientResponse, address: WebAddress, hops: int, label: str) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.url = address.shown
        self.hops = hops
        self._response = response
        self._label = label
        self._coded = 0

    async def read(self, max_bytes: int) -> bytes:
        """The decoded body.

        Args:
            max_bytes: cap on decoded bytes; what is above is not read.

        Raises:
            ToolError: ``too_large`` above the cap, or when the body swells too much in decoding.
            BackendError: ``bad_answer`` for a cut or falsely coded body, ``unreachable`` when the connection breaks.
        """
        parts: list[bytes] = []
        total = 0
        async with contextlib.aclosing(self._parts(max_bytes)) as body:
            async for part in body:
                total += len(part)
                self._check_size(total, max_bytes)
                parts.append(part)
        return b"".join(parts)

    async def head(self, max_bytes: int) -> bytes:
        """The start of the decoded body; empty when it cannot be read."""
        found = b""
        try:
            async with contextlib.aclosing(self._parts(1_000_000)) as body:
                async for part in body:
                    found += part
                    if len(found) >= max_bytes:
                        break
        except (BackendError, aiohttp.ClientError, OSError):
            return found[:max_bytes]
        return found[:max_bytes]

    def _check_size(self, total: int, max_bytes: int) -> None:
        if total > max_bytes:
            raise ToolError("too_large", f"{self._label}: the body is above {max_bytes / 1e6:g} MB", kind="final")
        if total > _RATIO_FROM and total > _MOST_RATIO * max(1, self._coded):
            raise ToolError(
                "too_large", f"{self._label}: the compressed body swells more than {_MOST_RATIO} times", kind="final"
            )

    async def _parts(self, max_bytes: int) -> AsyncGenerator[bytes]:
        # One part above the cap is let through by the decoder, so that `_check_size` names the error.
        async for part in decoded(self._raw(), self.headers, max_bytes=max_bytes + 1_000_000, label=self._label):
            yield part

    async def _raw(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.content.iter_any():
            self._coded += len(chunk)
            yield chunk


class PublicFetcher:
    """Fetches addresses the guard admits.

    Args:
        guard: decides about every hop.
        tls: CA certificates to trust in place of the system's, if any.
        proxy: HTTP proxy that is asked to connect to the pinned address.
    """

    def __init__(self, guard: EgressGuard, *, tls: TlsOptions | None = None, proxy: str | None = None) -> None:
        self._guard = guard
        self._tls = tls or TlsOptions()
        self._contexts = TlsContexts()
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    @contextlib.asynccontextmanager
    async def get(
        self, url: str, *, deadline: Deadline, field: str = "url", headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[PublicAnswer]:
        """GET an address and follow its redirects; leaving the block closes the connection.

        Args:
            url: as the caller gave it.
            deadline: for everything up to the end of the block.
            field: name of the caller's argument, for errors.
            headers: for hops of the first address's origin only.

        Raises:
            InvalidArgument: not an address.
            ToolError: ``address_denied``, ``redirect_denied``, ``tls_error``, ``timeout``, ``unreachable``.
        """
        address = parse_web_address(url, field=field)
        origin, given = address.origin, headers or dict[str, str]()
        try:
            async with deadline.enforce(), contextlib.AsyncExitStack() as stack:
                pinned = await self._guard.admit(address, field=field)
                for hops in range(MOST_REDIRECTS + 2):
                    own = given if address.origin == origin else dict[str, str]()
                    response = await self._send(address, pinned, own)
                    stack.callback(response.close)
                    location = response.headers.get("Location")
                    if response.status not in _REDIRECTS or location is None:
                        with _failures(address, pinned[0], Phase.READING):
                            yield PublicAnswer(response, address, hops, _label(address))
                        return
                    response.close()
                    address, pinned = await self._follow(address, location, hops + 1)
        except TimeoutError:
            raise ToolError("timeout", f"{_label(address)}: no whole answer in time") from None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _follow(self, address: WebAddress, location: str, hop: int) -> tuple[WebAddress, tuple[str, ...]]:
        """The next hop, checked from the start."""
        if hop > MOST_REDIRECTS:
            raise _redirect(address, f"more than {MOST_REDIRECTS} redirects")
        try:
            target = parse_web_address(urljoin(address.shown, location), field=f"redirect {hop}")
            if address.scheme == "https" and target.scheme != "https":
                raise _redirect(address, f"redirect {hop} leads from https to http")
            return target, await self._guard.admit(target, field=f"redirect {hop}")
        except (InvalidArgument, ValueError) as error:
            reason = error.text if isinstance(error, InvalidArgument) else f"redirect {hop} is no address"
            raise _redirect(address, reason) from None
        except ToolError as error:
            if error.code == "address_denied":
                raise _redirect(address, error.text) from None
            raise

    async def _send(
        self, address: WebAddress, pinned: tuple[str, ...], headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """The answer of the first of the checked addresses that can be connected to."""
        tried = pinned[:_ADDRESSES_TRIED]
        for at, ip in enumerate(tried):
            try:
                with _failures(address, ip, Phase.WAITING):
                    return await self._request(address, ip, headers)
            except BackendError as error:
                if at + 1 == len(tried) or not getattr(error, "connection", False):
                    raise
        raise BackendError("unreachable", f"{_label(address)}: no address to connect to")

    async def _request(self, address: WebAddress, ip: str, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        secure = address.scheme == "https"
        return await self._sessions().get(
            address.pinned(ip),
            headers={**_HEADERS, **headers, "Host": address.host_header},
            allow_redirects=False,
            proxy=self._proxy,
            ssl=self._contexts.context(self._tls, label=_label(address)) if secure else True,
            server_hostname=address.host if secure else None,
        )

    def _sessions(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = None if self._proxy else _NoResolver()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, force_close=True, resolver=resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


class _NoResolver(AbstractResolver):
    """Connections are made to addresses only: whatever asks for a name here would go around the guard."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        raise OSError(f"{host}:{port} (family {family}) was not resolved by the guard")

    async def close(self) -> None:
        """Nothing is held."""


@contextlib.contextmanager
def _failures(address: WebAddress, ip: str, phase: Phase) -> Generator[None]:
    """Turn errors of the HTTP library into those of a call."""
    try:
        yield
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError) as error:
        raise ToolError("tls_error", _explained(error, address, ip, phase).text, kind="final") from None
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
            raise
        raise _explained(error, address, ip, phase) from None


def _explained(error: aiohttp.ClientError | OSError, address: WebAddress, ip: str, phase: Phase) -> BackendError:
    where = Address(address.scheme, ip, address.port, "")
    return explain(error, label=_label(address), address=where, phase=phase, read=True)


def _redirect(address: WebAddress, reason: str) -> ToolError:
    return ToolError("redirect_denied", f"{_label(address)}: {reason}", kind="final")


def _label(address: WebAddress) -> str:
    return f"{address.scheme}://{address.host_header}"
