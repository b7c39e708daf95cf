"""All connections to backends: shared by host, TLS identity and proxy; streams have their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from cloud_native_mcp.upstream.address import Address, parse_base_url
from cloud_native_mcp.upstream.breaker import Breaker
from cloud_native_mcp.upstream.client import Client
from cloud_native_mcp.upstream.errors import CONNECT_SECONDS, label_of
from cloud_native_mcp.upstream.exchange import phase_trace
from cloud_native_mcp.upstream.observer import NoObserver, UpstreamObserver
from cloud_native_mcp.upstream.tls import TlsContexts
from cloud_native_mcp.upstream.websocket import refuse_other_answers

if TYPE_CHECKING:
    from cloud_native_mcp.contract.http import HttpTarget, TlsOptions

REQUEST_CONNECTIONS = 64
STREAM_CONNECTIONS = 256
IDLE_SECONDS = 30.0
DNS_SECONDS = 10

_Key = tuple[str, str, int, "TlsOptions", str | None, bool]


class Pool:
    """Implements `contract.http.HttpPool`.

    Proxy variables of the environment and ``.netrc`` are not looked at; no cookies are kept, no redirects followed.
    """

    def __init__(self, observer: UpstreamObserver | None = None) -> None:
        self._observer = observer or NoObserver()
        self._sessions: dict[_Key, aiohttp.ClientSession] = {}
        self._clients: dict[tuple[str, str], Client] = {}
        self._tls = TlsContexts()
        self._closed = False

    def client(self, target: HttpTarget) -> Client:
        """A client for the target; the same one for the same target, so that breaker and credentials are shared.

        Raises:
            ConfigError: the base URL cannot be used.
        """
        kept = self._clients.get((target.service, target.name))
        if kept is not None and kept.target == target:
            return kept
        if kept is not None and kept.target.tls != target.tls:
            self._tls.forget(kept.target.tls)
        address = parse_base_url(target.base_url, setting=f"{target.service}.targets.{target.name}.url")
        client = Client(
            target,
            address,
            sessions=self,
            tls=self._tls,
            breaker=Breaker(label_of(target)),
            observer=self._observer,
        )
        self._clients[target.service, target.name] = client
        return client

    def addresses(self) -> tuple[str, ...]:
        """``host:port`` of every target a client was made for."""
        return tuple(client.address.shown for client in self._clients.values())

    def session(self, target: HttpTarget, address: Address, *, stream: bool) -> aiohttp.ClientSession:
        """The session whose connections a request of this target uses."""
        if self._closed:
            raise RuntimeError("the pool is closed")
        key = (address.scheme, address.host, address.port, target.tls, target.proxy, stream)
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = _new_session(STREAM_CONNECTIONS if stream else REQUEST_CONNECTIONS)
        return session

    async def close(self) -> None:
        """Close all connections, those in use too."""
        self._closed = True
        sessions = list(self._sessions.values())
        self._sessions.clear()
        self._clients.clear()
        for session in sessions:
            await session.close()


def _new_session(connections: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE_SECONDS, ttl_dns_cache=DNS_SECONDS)
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False,
        trust_env=False,
        skip_auto_headers=("User-Agent", "Content-Type"),
        trace_configs=[phase_trace()],
        middlewares=(refuse_other_answers,),
    )
    # The session would send GET, HEAD, OPTIONS, TRACE, PUT and DELETE again by itself when a kept connection drops:
    # outside the retry budget, and twice for writes. It has no public switch for that.
    session._retry_connection = False  # noqa: SLF001
    return session
