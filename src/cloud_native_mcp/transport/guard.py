"""Host and Origin of a request, checked before any other work.

A page on a foreign site can make a browser call a server on this machine or network (DNS rebinding): its Host names the
foreign site, or its Origin does. Only known hosts and origins get in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from cloud_native_mcp.transport.config import ANY
from cloud_native_mcp.transport.forwarded import Proxies, address_of, hops_of, host_of
from cloud_native_mcp.transport.identity_headers import without_identity
from cloud_native_mcp.transport.reply import reply_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_native_mcp.transport.config import ForwardingHeader, ServerConfig
    from cloud_native_mcp.transport.headers import RawHeaders

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
PROBE_PATHS: Final = frozenset({"/livez", "/readyz"})
"""Asked by schedulers under any host name, and answered with one word."""


class HostRule:
    """Which Host values are this server."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._any = False
        self._ports: dict[str, set[str] | None] = dict.fromkeys(_LOOPBACK)
        for entry in allowed:
            self._any |= entry == ANY
            name, port = _split(entry)
            ports = self._ports.setdefault(name, set())
            if port and ports is not None:
                ports.add(port)
            elif not port:
                self._ports[name] = None

    def allows(self, host: str, local_address: str) -> bool:
        """Whether the Host value names this server; the address the client connected to always does."""
        if self._any:
            return bool(host)
        name, port = _split(host)
        if name in self._ports:
            ports = self._ports[name]
            return ports is None or port in ports
        return bool(local_address) and name.strip("[]") == local_address

    @staticmethod
    def is_loopback(host: str) -> bool:
        """Whether the Host value is a loopback name."""
        return _split(host)[0] in _LOOPBACK


def _split(host: str) -> tuple[str, str]:
    """Name (IPv6 in brackets) and port; a malformed value gives a name that is on no list."""
    name, colon, port = host.lower().rpartition(":")
    if not colon or name.endswith(":") or port.endswith("]"):
        return host.lower(), ""
    return (name, port) if port.isdigit() else ("", "")


class Guard:
    """ASGI: refuses foreign hosts (421) and origins (403), and takes the word of trusted proxies only.

    A request of such a proxy gets its client's address, and ``scope["state"]["from_proxy"]``. Of any other request the
    header fields that say who asks are dropped.

    Args:
        dropped: told of each request that had such fields.
    """

    def __init__(self, app: ASGIApp, config: ServerConfig, *, dropped: Callable[[], None] | None = None) -> None:
        self._app = app
        public = urlsplit(config.public_url)
        self._hosts = HostRule([*config.allowed_hosts, *([public.netloc.lower()] if public.netloc else [])])
        self._origins = frozenset(
            [*config.allowed_origins, *([f"{public.scheme}://{public.netloc}".lower()] if public.netloc else [])]
        )
        self._proxies = Proxies(config.trusted_proxies)
        self._forwarding: ForwardingHeader = config.forwarding_header
        self._dropped = dropped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in PROBE_PATHS:
            return await self._app(scope, receive, send)
        headers = cast("RawHeaders", scope["headers"])
        hosts = self._claimed_hosts(scope, headers)
        local = cast("Sequence[object]", scope.get("server") or ("",))[0]
        if not hosts or not all(self._hosts.allows(host, str(local)) for host in hosts):
            return await reply_text(send, 421, "this server does not answer for that host", headers=_CLOSE)
        origins = [value.strip().decode("latin-1").lower() for name, value in headers if name == b"origin"]
        if not all(self._is_own(origin, hosts[0]) for origin in origins):
            return await reply_text(send, 403, "that origin may not call this server", headers=_CLOSE)
        if self._trusts(scope):
            self._take_client(scope, headers)
        else:
            self._drop_identity(scope, headers)
        return await self._app(scope, receive, send)

    def _claimed_hosts(self, scope: Scope, headers: RawHeaders) -> list[str]:
        """Every host the request claims; the one that counts comes first. All of them must be allowed."""
        hosts = [value.strip().decode("latin-1") for name, value in headers if name == b"host"]
        forwarded = host_of(headers, self._forwarding)
        if forwarded is not None:
            return [forwarded] if self._trusts(scope) else [*hosts, forwarded]
        return hosts

    def _is_own(self, origin: str, host: str) -> bool:
        if ANY in self._origins or origin in self._origins:
            return True
        scheme, separator, name = origin.partition("://")
        if not separator or scheme not in {"http", "https"}:
            return False
        return name == host.lower() or (HostRule.is_loopback(name) and HostRule.is_loopback(host))

    def _trusts(self, scope: Scope) -> bool:
        client = cast("Sequence[object]", scope.get("client") or ("",))
        return bool(self._proxies) and self._proxies.trust(address_of(str(client[0])))

    def _take_client(self, scope: Scope, headers: RawHeaders) -> None:
        """Put the client's address in place of the proxy's, where the proxies tell it."""
        scope.setdefault("state", {})["from_proxy"] = True
        address = self._proxies.client_of(hops_of(headers, self._forwarding))
        if address is not None:
            scope["client"] = (str(address), 0)

    def _drop_identity(self, scope: Scope, headers: RawHeaders) -> None:
        kept = without_identity(headers)
        if kept is headers:
            return
        scope["headers"] = kept
        if self._dropped is not None:
            self._dropped()


_CLOSE: Final = [(b"connection", b"close")]
