"""Which addresses count as public."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.upstream.address_rules import denied_name, forms, is_metadata, not_public
from tests.promises import promise

SPECIAL = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
    "240.0.0.0/4",
]  # fmt: skip


def embedded(address: ipaddress.IPv4Address) -> list[str]:
    """The IPv6 forms that stand for an IPv4 address."""
    high, low = int(address) >> 16, int(address) & 0xFFFF
    return [
        f"::ffff:{address}",
        f"64:ff9b::{high:x}:{low:x}",
        f"64:ff9b:1::{high:x}:{low:x}",
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:4136:e378:8000:63bf:{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}",
        f"::{high:x}:{low:x}",
        f"2600:1f00::5efe:{high:x}:{low:x}",
    ]


@promise("S9")
@given(st.sampled_from(SPECIAL).flatmap(lambda text: st.ip_addresses(network=text)))
def test_no_special_ipv4_address_is_public_in_any_form(address: ipaddress.IPv4Address) -> None:
    assert not_public(address)
    for form in embedded(address):
        assert not_public(ipaddress.ip_address(form)), form


@promise("S9")
@given(st.ip_addresses(v=6))
def test_only_global_unicast_and_forms_of_public_addresses_are_public(address: ipaddress.IPv6Address) -> None:
    if not_public(address) is None:
        inner = forms(address)[-1]
        assert inner in ipaddress.ip_network("2000::/3") if inner.version == 6 else inner.is_global


@promise("S9")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("::1", "loopback address"),
        ("::", "unspecified address"),
        ("fd00::1", "unique-local address"),
        ("fe80::1", "link-local address"),
        ("fec0::1", "site-local address"),
        ("ff02::1", "multicast address"),
        ("2001:db8::1", "documentation address"),
        ("2001:2::1", "benchmark address"),
        ("100::1", "discard address"),
        ("4000::1", "reserved address"),
        ("::ffff:10.0.0.1", "private address in an IPv6 form"),
        ("64:ff9b::a9fe:a9fe", "link-local address in an IPv6 form"),
        ("255.255.255.255", "reserved address"),
    ],
)
def test_the_reason_names_the_range(text: str, reason: str) -> None:
    assert not_public(ipaddress.ip_address(text)) == reason


@pytest.mark.parametrize("text", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(text: str) -> None:
    assert not_public(ipaddress.ip_address(text)) is None


@promise("S9")
@pytest.mark.parametrize("text", ["169.254.169.254", "::ffff:169.254.169.254", "168.63.129.16", "fd00:ec2::254"])
def test_cloud_metadata_addresses_are_known_in_every_form(text: str) -> None:
    assert is_metadata(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "name",
    ["localhost", "a.localhost", "metadata.google.internal", "metadata", "kubernetes.default.svc", "x.cluster.local"],
)
def test_names_of_inner_things_are_refused_without_asking_dns(name: str) -> None:
    assert denied_name(name)


@pytest.mark.parametrize("name", ["example.com", "localhost.example.com", "svc.example.com", "metadata.example.com"])
def test_other_names_are_not_refused_by_their_text(name: str) -> None:
    assert denied_name(name) is None
