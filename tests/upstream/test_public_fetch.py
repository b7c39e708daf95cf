"""Fetching addresses that callers choose: nothing inner is ever connected to."""

from __future__ import annotations

import contextlib
import gzip
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.upstream.egress import EgressGuard, EgressRules
from cloud_native_mcp.upstream.public_fetch import PublicFetcher
from tests.fault_server.behaviours import answer, endless, gzip_bomb, not_http, reset, stall, wrong_length
from tests.fault_server.server import closed_port, fault_server
from tests.fault_server.tls import Authority
from tests.promises import promise
from tests.upstream.names import Names

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.server import FaultServer

LOOPBACK = ("127.0.0.1/32",)


def port_of(server: FaultServer) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


@contextlib.asynccontextmanager
async def fetcher(
    *servers: FaultServer,
    names: Names | None = None,
    allowed: Sequence[str] = LOOPBACK,
    tls: TlsOptions | None = None,
    proxy: str | None = None,
) -> AsyncGenerator[PublicFetcher]:
    """A fetcher whose operator allows the servers' ports, and the networks given."""
    rules = EgressRules(
        ports=frozenset({80, 443, *map(port_of, servers)}),
        allowed_networks=tuple(ipaddress.ip_network(text) for text in allowed),
    )
    guard = EgressGuard(rules, resolve=(names or Names({"site.example": ["127.0.0.1"]})).resolve)
    found = PublicFetcher(guard, tls=tls, proxy=proxy)
    try:
        yield found
    finally:
        await found.close()


async def body_of(fetcher: PublicFetcher, url: str, *, max_bytes: int = 5_000_000, seconds: float = 5.0) -> bytes:
    async with fetcher.get(url, deadline=Deadline.after(seconds)) as page:
        return await page.read(max_bytes)


async def refusal(fetcher: PublicFetcher, url: str, *, max_bytes: int = 5_000_000, seconds: float = 5.0) -> ToolError:
    with pytest.raises(ToolError) as refused:
        await body_of(fetcher, url, max_bytes=max_bytes, seconds=seconds)
    return refused.value


def moved(location: str, status: int = 302) -> Behaviour:
    return answer("", status=status, headers={"Location": location, "Set-Cookie": "id=1"})


async def test_a_page_is_read_with_a_fixed_agent_and_without_cookies_or_credentials() -> None:
    async with fault_server(answer("hello", kind="text/plain")) as site, fetcher(site) as fetch:
        assert await body_of(fetch, f"http://site.example:{port_of(site)}/a?b=c") == b"hello"
        sent = site.requests[0]
    assert sent.target == "/a?b=c"
    assert sent.headers["host"] == f"site.example:{port_of(site)}"
    assert sent.headers["user-agent"].startswith("cloud-native-mcp-server/")
    assert not {"cookie", "authorization", "referer", "origin"} & set(sent.headers)


@promise("S9")
@promise("S10")
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "localhost", "localhost.",
     "inner.example", "mixed.example", "0.0.0.0"],
)  # fmt: skip
async def test_inner_addresses_are_refused_before_any_connection(host: str) -> None:
    names = Names({"inner.example": ["127.0.0.1"], "mixed.example": ["93.184.216.34", "127.0.0.1"]})
    async with fault_server(answer("secret")) as inner, fetcher(inner, names=names, allowed=()) as fetch:
        refused = await refusal(fetch, f"http://{host}:{port_of(inner)}/")
        assert refused.code == "address_denied"
        assert inner.accepted == 0


@promise("S10")
async def test_a_name_that_changes_its_address_after_the_check_changes_nothing() -> None:
    names = Names({"site.example": [["127.0.0.1"], ["127.0.0.9"]]})
    async with fault_server(answer("good")) as site, fetcher(site, names=names) as fetch:
        assert await body_of(fetch, f"http://site.example:{port_of(site)}/") == b"good"
        assert names.asked == ["site.example"]
        assert (await refusal(fetch, f"http://site.example:{port_of(site)}/")).code == "address_denied"
        assert site.accepted == 1


@promise("S11")
@pytest.mark.parametrize(
    ("location", "rule"),
    [
        ("http://169.254.169.254/latest/meta-data", "metadata"),
        ("http://10.0.0.1/", "private address"),
        ("http://[::1]/", "loopback address"),
        ("//inner.example/", "private address"),
        ("file:///etc/passwd", "'file' is not http or https"),
        ("gopher://site.example/", "'gopher' is not http or https"),
        ("http://user:pass@site.example/", "user info"),
        ("http://site.example:22/", "port 22"),
        ("http://[broken/", "redirect 1"),
    ],
)
async def test_a_redirect_to_what_may_not_be_fetched_is_denied(location: str, rule: str) -> None:
    names = Names({"site.example": ["127.0.0.1"], "inner.example": ["192.168.1.1"]})
    async with fault_server(moved(location), answer("never")) as site, fetcher(site, names=names) as fetch:
        refused = await refusal(fetch, f"http://site.example:{port_of(site)}/")
        assert refused.code == "redirect_denied"
        assert rule in refused.text
        assert len(site.requests) == 1


@promise("S11")
async def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    script = (moved("/1"), moved("/2", 301), moved("/3", 307), answer("end"))
    async with fault_server(*script) as site, fetcher(site) as fetch:
        url = f"http://site.example:{port_of(site)}"
        async with fetch.get(f"{url}/0", deadline=Deadline.after(5)) as page:
            assert (page.url, page.hops) == (f"{url}/3", 3)
        assert [request.target for request in site.requests] == ["/0", "/1", "/2", "/3"]
        assert not any("cookie" in request.headers for request in site.requests)
        site.replace(moved("/again"))
        refused = await refusal(fetch, url)
        assert refused.code == "redirect_denied"
        assert len(site.requests) == 4


@promise("S11")
async def test_each_hop_is_resolved_and_checked_again() -> None:
    names = Names({"site.example": [["127.0.0.1"], ["10.0.0.1"]]})
    async with fault_server(moved("/next"), answer("never")) as site, fetcher(site, names=names) as fetch:
        refused = await refusal(fetch, f"http://site.example:{port_of(site)}/")
        assert refused.code == "redirect_denied"
        assert names.asked == ["site.example"] * 2
        assert len(site.requests) == 1


@promise("S11")
async def test_a_redirect_from_https_to_http_is_denied() -> None:
    authority = Authority()
    async with (
        fault_server(answer("plain")) as plain,
        fault_server(moved(f"http://site.example:{port_of(plain)}/"), tls=authority.server("site.example")) as site,
        fetcher(site, plain, tls=TlsOptions(ca_data=authority.pem)) as fetch,
    ):
        refused = await refusal(fetch, f"https://site.example:{port_of(site)}/")
        assert refused.code == "redirect_denied"
        assert "from https to http" in refused.text
        assert plain.accepted == 0


async def test_the_certificate_is_checked_for_the_name_not_for_the_pinned_address() -> None:
    authority = Authority()
    tls = TlsOptions(ca_data=authority.pem)
    async with fault_server(answer("safe"), tls=authority.server("site.example")) as site:
        async with fetcher(site, tls=tls) as fetch:
            assert await body_of(fetch, f"https://site.example:{port_of(site)}/") == b"safe"
        async with fetcher(site) as fetch:
            refused = await refusal(fetch, f"https://site.example:{port_of(site)}/")
            assert refused.code == "tls_error"
            assert "unknown CA" in refused.text
    async with (
        fault_server(answer("other"), tls=authority.server("other.example")) as site,
        fetcher(site, tls=tls) as fetch,
    ):
        refused = await refusal(fetch, f"https://site.example:{port_of(site)}/")
        assert refused.code == "tls_error"
        assert "for another name" in refused.text
        assert site.requests == []


async def test_a_proxy_is_asked_for_the_checked_address() -> None:
    names = Names({"public.example": ["93.184.216.34"], "inner.example": ["10.0.0.1"]})
    async with (
        fault_server(answer("through")) as proxy,
        fetcher(names=names, allowed=(), proxy=proxy.url) as fetch,
    ):
        assert await body_of(fetch, "http://public.example/page") == b"through"
        assert proxy.requests[0].target == "http://93.184.216.34/page"
        assert proxy.requests[0].headers["host"] == "public.example"
        assert (await refusal(fetch, "http://inner.example/")).code == "address_denied"
        assert len(proxy.requests) == 1


async def test_the_next_checked_address_is_tried_when_one_cannot_be_connected_to() -> None:
    names = Names({"site.example": ["127.0.0.77", "127.0.0.1"]})
    async with fault_server(answer("second")) as site, fetcher(site, names=names, allowed=("127.0.0.0/8",)) as fetch:
        assert await body_of(fetch, f"http://site.example:{port_of(site)}/") == b"second"


async def test_a_body_above_the_cap_is_dropped_unread() -> None:
    async with fault_server(endless()) as site, fetcher(site) as fetch:
        refused = await refusal(fetch, f"http://site.example:{port_of(site)}/")
        assert refused.code == "too_large"
        assert "5 MB" in refused.text
        await site.wait_for(lambda: site.alive == 0)


@pytest.mark.parametrize("megabytes", [2, 50])
async def test_a_compressed_bomb_is_too_large(megabytes: int) -> None:
    async with fault_server(gzip_bomb(megabytes)) as site, fetcher(site) as fetch:
        assert (await refusal(fetch, f"http://site.example:{port_of(site)}/")).code == "too_large"
        await site.wait_for(lambda: site.alive == 0)


async def test_a_compressed_page_is_decoded() -> None:
    page = answer(gzip.compress(b"hello " * 100), headers={"Content-Encoding": "gzip"})
    async with fault_server(page) as site, fetcher(site) as fetch:
        assert await body_of(fetch, f"http://site.example:{port_of(site)}/") == b"hello " * 100


async def test_a_silent_server_is_given_up_at_the_deadline() -> None:
    async with fault_server(stall()) as site, fetcher(site) as fetch:
        refused = await refusal(fetch, f"http://site.example:{port_of(site)}/", seconds=0.2)
        assert refused.code == "timeout"
        await site.wait_for(lambda: site.alive == 0)


@pytest.mark.parametrize(
    ("fault", "code"), [(reset(), "unreachable"), (not_http(), "bad_answer"), (wrong_length(), "bad_answer")]
)
async def test_faults_on_the_way_are_named_with_the_host_the_caller_gave(fault: Behaviour, code: str) -> None:
    async with fault_server(fault) as site, fetcher(site) as fetch:
        refused = await refusal(fetch, f"http://site.example:{port_of(site)}/")
        assert refused.code == code
        assert "site.example" in refused.text


async def test_a_refused_connection_is_unreachable() -> None:
    with closed_port() as url:
        port = urlsplit(url).port
        assert port is not None
        networks = tuple(ipaddress.ip_network(text) for text in LOOPBACK)
        fetch = PublicFetcher(EgressGuard(EgressRules(ports=frozenset({port}), allowed_networks=networks)))
        refused = await refusal(fetch, url)
        await fetch.close()
    assert refused.code == "unreachable"
    assert "refused the connection" in refused.text


async def test_headers_of_the_server_stay_with_the_origin_they_were_given_for() -> None:
    async with fault_server(answer("there")) as other:
        target = f"http://site.example:{port_of(other)}/there"
        async with fault_server(moved("/again"), moved(target)) as site, fetcher(site, other) as fetch:
            url = f"http://site.example:{port_of(site)}/"
            async with fetch.get(url, deadline=Deadline.after(5.0), headers={"Authorization": "Basic eA=="}) as page:
                assert await page.read(100) == b"there"
            assert [request.headers.get("authorization") for request in site.requests] == ["Basic eA=="] * 2
        assert "authorization" not in other.requests[0].headers
