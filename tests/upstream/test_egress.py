"""The guard: every address of a name is checked, and operators' rules come before public ranges."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.upstream.egress import EgressGuard, EgressRules, belongs_to_this_machine
from cloud_native_mcp.upstream.web_address import parse_web_address
from tests.promises import promise
from tests.upstream.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.upstream.address_rules import Address

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1::1"


def guard(
    names: Names | None = None,
    *,
    occupied: Callable[[], Sequence[str]] = tuple,
    is_local: Callable[[Address], bool] = lambda _: False,
    ports: frozenset[int] = frozenset({80, 443}),
    domains: tuple[str, ...] = (),
    allowed: tuple[str, ...] = (),
    denied: tuple[str, ...] = (),
    trusted: frozenset[tuple[str, int]] = frozenset(),
) -> EgressGuard:
    rules = EgressRules(
        ports=ports,
        domains=domains,
        allowed_networks=tuple(ipaddress.ip_network(text) for text in allowed),
        denied_networks=tuple(ipaddress.ip_network(text) for text in denied),
        trusted=trusted,
    )
    return EgressGuard(rules, resolve=(names or Names({})).resolve, occupied=occupied, is_local=is_local)


async def admit(guard: EgressGuard, url: str) -> tuple[str, ...]:
    return await guard.admit(parse_web_address(url, field="url"), field="url")


async def refusal(guard: EgressGuard, url: str) -> str:
    with pytest.raises(ToolError) as refused:
        await admit(guard, url)
    assert refused.value.code == "address_denied"
    return refused.value.text


async def test_a_public_name_is_admitted_with_its_checked_addresses_only() -> None:
    names = Names({"example.com": [PUBLIC_6, PUBLIC, PUBLIC]})
    assert await admit(guard(names), "https://example.com/") == (PUBLIC, PUBLIC_6)


@promise("S10")
@pytest.mark.parametrize("inner", ["10.1.2.3", "127.0.0.1", "::1", "fd00::1", "169.254.169.254", "::ffff:10.0.0.1"])
async def test_a_public_name_that_resolves_to_an_inner_address_is_refused(inner: str) -> None:
    names = Names({"example.com": [PUBLIC, inner]})
    assert "it resolves to a" in await refusal(guard(names), "http://example.com/")


@promise("B18")
async def test_port_22_is_refused_by_name() -> None:
    assert "port 22 is not one of 80, 443" in await refusal(guard(), "http://example.com:22/")


@promise("S9")
async def test_the_clusters_own_ranges_are_refused_even_where_a_network_is_allowed() -> None:
    own = guard(allowed=("10.0.0.0/8",), denied=("10.96.0.0/12", "198.200.0.0/16"))
    assert await admit(own, "http://10.1.2.3/") == ("10.1.2.3",)
    assert "the operator denies" in await refusal(own, "http://10.96.0.1/")
    assert "the operator denies" in await refusal(own, "http://198.200.1.1/")
    assert "the operator denies" in await refusal(own, "http://[::ffff:10.96.0.1]/")


@promise("S9")
async def test_metadata_stays_refused_where_its_network_is_allowed() -> None:
    assert "metadata" in await refusal(guard(allowed=("169.254.0.0/16", "0.0.0.0/0")), "http://169.254.169.254/")


async def test_only_domains_on_the_operators_list_are_admitted() -> None:
    names = Names({"docs.example.com": [PUBLIC], "example.org": [PUBLIC], "badexample.com": [PUBLIC]})
    listed = guard(names, domains=("example.com",))
    assert await admit(listed, "https://docs.example.com/") == (PUBLIC,)
    assert "allowed domains" in await refusal(listed, "https://example.org/")
    assert "allowed domains" in await refusal(listed, "https://badexample.com/")
    assert "allowed domains" in await refusal(listed, f"https://{PUBLIC}/")


@promise("S9")
async def test_backends_are_refused_by_name_and_by_address() -> None:
    names = Names({"prometheus.example.com": [PUBLIC], "alias.example.com": [PUBLIC], "other.example.com": ["8.8.8.8"]})
    occupied = guard(names, occupied=lambda: ["prometheus.example.com:443", "gone.example.com:443"])
    assert "one of its backends" in await refusal(occupied, "https://Prometheus.example.com./")
    assert "one of its backends" in await refusal(occupied, "https://alias.example.com/")
    assert "one of its backends" in await refusal(occupied, f"https://{PUBLIC}/")
    assert await admit(occupied, "https://other.example.com/") == ("8.8.8.8",)
    assert await admit(occupied, "http://alias.example.com/") == (PUBLIC,)


@promise("S9")
async def test_the_servers_own_port_is_refused_on_every_address_of_the_machine() -> None:
    own = guard(
        occupied=lambda: ["0.0.0.0:8080"],
        is_local=lambda address: str(address) == "127.0.0.1",
        allowed=("127.0.0.0/8", "10.0.0.0/8"),
        ports=frozenset({8080, 8081}),
    )
    assert "of this server" in await refusal(own, "http://127.0.0.1:8080/")
    assert await admit(own, "http://127.0.0.1:8081/") == ("127.0.0.1",)
    assert await admit(own, "http://10.0.0.1:8080/") == ("10.0.0.1",)


@promise("S9")
async def test_a_public_address_of_this_very_machine_is_refused() -> None:
    assert "of this machine" in await refusal(guard(is_local=lambda _: True), f"http://{PUBLIC}/")


def test_this_machine_knows_its_addresses() -> None:
    assert belongs_to_this_machine(ipaddress.ip_address("127.0.0.1"))
    assert not belongs_to_this_machine(ipaddress.ip_address("192.0.2.1"))


@pytest.mark.parametrize("name", ["localhost", "metadata.google.internal", "kubernetes.default.svc"])
async def test_inner_names_are_refused_without_asking_dns(name: str) -> None:
    names = Names({})
    await refusal(guard(names), f"http://{name}/")
    assert names.asked == []


async def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    with pytest.raises(ToolError, match=r"unreachable: the name nowhere\.example does not resolve"):
        await admit(guard(), "http://nowhere.example/")


async def test_a_name_with_too_many_addresses_is_not_followed() -> None:
    names = Names({"many.example": [f"93.184.{n // 256}.{n % 256}" for n in range(65)]})
    with pytest.raises(ToolError, match="65 addresses"):
        await admit(guard(names), "http://many.example/")


async def test_a_host_the_operator_named_is_admitted_at_its_port_only() -> None:
    names = Names({"charts.internal": ["10.0.0.5"]})
    named = guard(names, trusted=frozenset({("charts.internal", 8080)}))
    assert await admit(named, "http://charts.internal:8080/index.yaml") == ("10.0.0.5",)
    assert "internal" in await refusal(named, "http://charts.internal/index.yaml")
    assert "private address" in await refusal(named, "http://10.0.0.5/index.yaml")
