"""An address has one reading, and what has two is refused."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.upstream.web_address import parse_web_address
from tests.promises import promise

if TYPE_CHECKING:
    import ipaddress

FULL_WIDTH = str.maketrans("0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")


def spellings(address: ipaddress.IPv4Address) -> list[str]:
    """Ways in which system resolvers accept an IPv4 address."""
    a, b, c, d = address.packed
    number = int(address)
    return [
        str(address),
        f"{address}.",
        str(number),
        hex(number),
        f"{number:#o}".replace("0o", "0"),
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        str(address).translate(FULL_WIDTH),
        str(address).replace(".", "\u3002"),
    ]


@promise("B18")
@given(st.ip_addresses(v=4))
def test_every_spelling_of_an_ipv4_address_is_read_as_that_address(address: ipaddress.IPv4Address) -> None:
    for host in spellings(address):
        assert parse_web_address(f"http://{host}/x", field="url").literal == address, host


@promise("B18")
@given(st.ip_addresses(v=6))
def test_ipv6_addresses_are_read_whatever_their_form(address: ipaddress.IPv6Address) -> None:
    for host in (address.compressed, address.exploded, address.compressed.upper()):
        assert parse_web_address(f"https://[{host}]:8443/", field="url").literal == address


@promise("B18")
@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("file:///etc/passwd", "'file' is not http or https"),
        ("gopher://example.com/_x", "'gopher' is not http or https"),
        ("ftp://example.com/", "'ftp' is not http or https"),
        ("javascript:alert(1)", "'javascript' is not http or https"),
        ("data:text/html,x", "'data' is not http or https"),
        ("http://user:pass@example.com/", "user info"),
        ("http://example.com@127.0.0.1/", "user info"),
        ("https://@example.com/", "user info"),
    ],
)
def test_odd_schemes_and_user_info_are_denied_with_the_rule(url: str, rule: str) -> None:
    with pytest.raises(ToolError) as refusal:
        parse_web_address(url, field="url")
    assert refusal.value.code == "address_denied"
    assert refusal.value.kind == "final"
    assert rule in refusal.value.text


@promise("B18")
@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "http:example.com", "http://", "http:///x", "http://a..b/", "http://-a.com/",
        "http://exa mple.com/", "http://example.com\\@127.0.0.1/", "http://example.com/\nHost: x", "http://a\u200bb.com/",
        "http://example.com:0/", "http://example.com:65536/", "http://example.com:http/", "http://[::1/", "http://[fe80::1%25lo]/",
        "http://[::1]x/", "http://1.2.3.4.5/", "http://256.1.1.1/", "http://1.2.3.09/", "http://%31%32%37.0.0.1/",
        "http://xn--/", "http://xn--a/", "http://" + "a" * 64 + ".com/", "http://x/" + "y" * 4_000,
    ],
)  # fmt: skip
def test_what_is_no_clear_address_is_refused_and_names_the_field(url: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_web_address(url, field="url")
    assert refusal.value.text.startswith("url: ")
    assert len(refusal.value.text) < 300


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("HTTP://EXAMPLE.com", "http://example.com/"),
        ("https://example.com.:443/a?b#c", "https://example.com/a?b"),
        ("https://example.com?q=1", "https://example.com/?q=1"),
        ("http://example.com#@127.0.0.1/", "http://example.com/"),
        ("http://b\u00fccher.example/", "http://xn--bcher-kva.example/"),
        ("http://\uff45xample.com/", "http://example.com/"),
        ("http://a_b.example.com:8080/", "http://a_b.example.com:8080/"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]/"),
    ],
)
def test_addresses_are_normalised(url: str, shown: str) -> None:
    assert parse_web_address(url, field="url").shown == shown


def test_the_pinned_url_holds_the_ip_address_and_the_path() -> None:
    address = parse_web_address("https://example.com/a%20b/../c?x=1&y=%2F", field="url")
    assert str(address.pinned("2606:4700::1111")) == "https://[2606:4700::1111]/c?x=1&y=/"


@promise("B18")
@given(st.text(alphabet="htps:/@[]%.0x17fF\\#? \t\u3002\uff10abe-_", max_size=40))
def test_no_text_makes_the_reader_fail_otherwise_than_by_refusing(text: str) -> None:
    for url in (text, f"http://{text}"):
        with contextlib.suppress(ToolError):
            found = parse_web_address(url, field="url")
            assert found.scheme in {"http", "https"}
            assert "@" not in found.host_header
            assert found.pinned("192.0.2.1").host == "192.0.2.1"
