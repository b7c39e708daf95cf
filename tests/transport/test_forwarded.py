"""Whose address counts behind proxies, and what of a client's own words is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.limits.middleware import RateMiddleware
from cloud_native_mcp.limits.rate import RateLimiter
from cloud_native_mcp.transport.config import ServerConfig
from cloud_native_mcp.transport.forwarded import Proxies, hops_of, host_of
from cloud_native_mcp.transport.guard import Guard
from tests.limits.asgi import Inside, get
from tests.limits.clock import Clock
from tests.promises import promise

if TYPE_CHECKING:
    from cloud_native_mcp.transport.headers import RawHeaders

TRUSTED = ["10.0.0.0/8", "fd00::/8"]
PROXY = "10.0.0.1"
HOST = (b"host", b"localhost")


def client_of(*lines: str, header: str = "x-forwarded-for") -> str:
    """The address that counts, after header lines of a trusted proxy."""
    config = ServerConfig.model_validate({"trusted_proxies": TRUSTED, "forwarding_header": header})
    headers: RawHeaders = [(header.encode(), line.encode()) for line in lines]
    address = Proxies(config.trusted_proxies).client_of(hops_of(headers, config.forwarding_header))
    return str(address or "")


@promise("S16")
@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9, 10.1.1.1, 10.2.2.2"], "203.0.113.9"),
        (["203.0.113.9:4711, 10.1.1.1:80"], "203.0.113.9"),
        (["2001:db8::7"], "2001:db8::7"),
        (["[2001:db8::7]:4711, [fd00::1]:80"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["::ffff:203.0.113.9, ::ffff:10.1.1.1"], "203.0.113.9"),
        (["fe80::1%eth0"], "fe80::1"),
        (["10.1.1.1, 10.2.2.2"], ""),
        (["203.0.113.9, unknown"], ""),
        (["203.0.113.9, "], ""),
        (["203.0.113.9, <script>"], ""),
        (["203.0.113.9, 999.1.1.1:80"], ""),
        (["203.0.113.9, [2001:db8::7"], ""),
        (["203.0.113.9, 1.2.3.4:port"], ""),
        ([], ""),
    ],
)
def test_the_last_hop_that_is_no_trusted_proxy_counts(lines: list[str], client: str) -> None:
    assert client_of(*lines) == client


@promise("S16")
@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["for=203.0.113.9"], "203.0.113.9"),
        (['For="[2001:db8::7]:4711";proto=https;by=10.0.0.1'], "2001:db8::7"),
        (["for=198.51.100.1, for=203.0.113.9;proto=https, for=10.1.1.1"], "203.0.113.9"),
        (["for=198.51.100.1", "by=x;for=203.0.113.9"], "203.0.113.9"),
        (['for="203.0.113.9:80"'], "203.0.113.9"),
        (['for=198.51.100.1, for="_hid\\"den"'], ""),
        (["for=198.51.100.1, for=unknown"], ""),
        (["for=198.51.100.1, proto=https"], ""),
        (["for=203.0.113.9;for=198.51.100.1"], ""),
        (["203.0.113.9"], ""),
        # a quote that a client leaves open takes nothing of what the proxy appends for its own
        (['for=198.51.100.1;x="', 'for="[2001:db8::7]:47"'], ""),
        (['for=198.51.100.1;x=", proto="https";for=203.0.113.9'], ""),
    ],
)
def test_the_standard_header_is_read_where_the_proxies_write_it(lines: list[str], client: str) -> None:
    assert client_of(*lines, header="forwarded") == client


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ([(b"x-forwarded-host", b"a.example, b.example")], "b.example"),
        ([(b"x-forwarded-host", b"a.example"), (b"x-forwarded-host", b"b.example")], "b.example"),
        ([(b"forwarded", b"host=a.example")], None),
    ],
)
def test_the_host_is_the_nearest_proxys_word(headers: RawHeaders, host: str | None) -> None:
    assert host_of(headers, "x-forwarded-for") == host
    assert host_of([(b"forwarded", b'host=a.example, for=x;host="b.example:8443"')], "forwarded") == "b.example:8443"
    assert host_of([(b"x-forwarded-host", b"a.example")], "forwarded") is None


class Door:
    """Guard and rate of one request for each peer, without authentication."""

    def __init__(self, **settings: object) -> None:
        self.inside = Inside()
        limited = RateMiddleware(self.inside, RateLimiter(RateLimitConfig(burst=1), Clock()))
        self.dropped: list[None] = []
        config = ServerConfig.model_validate(settings)
        self.app = Guard(limited, config, dropped=lambda: self.dropped.append(None))

    async def status(self, peer: str, *headers: tuple[str, str]) -> int:
        """Of one request."""
        sent = [HOST, *((name.encode(), value.encode()) for name, value in headers)]
        return (await get(self.app, headers=sent, peer=peer)).status


@promise("S16")
@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip"])
async def test_a_stranger_does_not_become_another_peer_by_its_headers(header: str) -> None:
    door = Door(trusted_proxies=TRUSTED)
    shape = "for={}" if header == "forwarded" else "{}"
    statuses = [await door.status("192.0.2.7", (header, shape.format(f"203.0.113.{n}"))) for n in range(4)]
    assert statuses == [200, 429, 429, 429]


@promise("S16")
async def test_a_client_behind_a_proxy_does_not_become_another_one_by_its_headers() -> None:
    door = Door(trusted_proxies=TRUSTED)
    forged = [await door.status(PROXY, ("x-forwarded-for", f"203.0.113.{n}, 192.0.2.7")) for n in range(4)]
    assert forged == [200, 429, 429, 429]
    junk = [await door.status(PROXY, ("x-forwarded-for", f"203.0.113.{n}, junk{n}")) for n in range(3)]
    assert junk == [200, 429, 429]
    other = [
        await door.status(PROXY, ("forwarded", f"for=203.0.113.{n}"), ("x-forwarded-for", "192.0.2.8")) for n in (1, 2)
    ]
    assert other == [200, 429]
    assert await door.status(PROXY, ("x-forwarded-for", "192.0.2.9")) == 200


@promise("S16")
async def test_a_client_behind_a_proxy_is_its_ipv6_network() -> None:
    door = Door(trusted_proxies=TRUSTED)
    hops = [await door.status(PROXY, ("x-forwarded-for", f"[2001:db8::{n:x}]:{n}")) for n in range(1, 5)]
    assert hops == [200, 429, 429, 429]
    assert await door.status(PROXY, ("x-forwarded-for", "2001:db8:0:1::1")) == 200


async def test_a_proxy_known_by_its_ipv4_address_is_known_on_a_dual_stack_socket() -> None:
    door = Door(trusted_proxies=TRUSTED)
    assert await door.status("::ffff:10.0.0.1", ("x-forwarded-for", "192.0.2.1")) == 200
    assert await door.status("::ffff:10.0.0.1", ("x-forwarded-for", "192.0.2.2")) == 200


IDENTITIES = [
    "impersonate-user",
    "impersonate-group",
    "impersonate-extra-scopes",
    "x-remote-user",
    "x-remote-group",
    "x-remote-extra-scopes",
    "remote-user",
    "x-forwarded-user",
    "x-forwarded-groups",
    "x-forwarded-email",
    "x-forwarded-access-token",
    "x-scope-orgid",
    "x-grafana-org-id",
    "x-grafana-id",
    "x-webauth-user",
    "x-auth-request-user",
    "x-real-ip",
    "forwarded",
]


@promise("S8")
@pytest.mark.parametrize("name", IDENTITIES)
async def test_what_says_who_asks_is_dropped_of_everybody_but_trusted_proxies(name: str) -> None:
    door = Door(trusted_proxies=TRUSTED)
    assert await door.status("192.0.2.7", (name, "system:masters"), ("accept", "*/*")) == 200
    assert await door.status(PROXY, (name, "alice")) == 200
    stranger, proxied = door.inside.scopes
    assert [header for header, _ in stranger["headers"]] == [b"host", b"accept"]
    assert "from_proxy" not in stranger.get("state", {})
    assert name.encode() in [header for header, _ in proxied["headers"]]
    assert proxied["state"]["from_proxy"] is True
    assert len(door.dropped) == 1


async def test_without_trusted_proxies_nobody_is_one() -> None:
    door = Door()
    assert await door.status(PROXY, ("x-remote-user", "alice")) == 200
    assert [header for header, _ in door.inside.scopes[0]["headers"]] == [b"host"]
