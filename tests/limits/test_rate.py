"""Requests per caller are limited, however a caller tries to look like another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.principal import ANONYMOUS, Principal
from cloud_native_mcp.limits.buckets import TokenBuckets
from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.limits.middleware import RateMiddleware
from cloud_native_mcp.limits.peer import peer_key
from cloud_native_mcp.limits.rate import RateLimiter, caller_key
from tests.limits.asgi import Inside, get
from tests.limits.clock import Clock
from tests.promises import promise

if TYPE_CHECKING:
    from cloud_native_mcp.audit.record import AuditRecord

ALICE = Principal(id="alice", method="api_key")


def buckets(clock: Clock, *, rate: float = 2.0, burst: int = 3, most: int = 100) -> TokenBuckets:
    return TokenBuckets(rate=rate, burst=burst, most=most, clock=clock)


def test_a_burst_is_admitted_and_then_the_rate_holds() -> None:
    clock = Clock()
    limited = buckets(clock)
    assert [limited.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    clock.advance(0.5)
    assert limited.take("a") == 0.0
    assert limited.take("a") == pytest.approx(0.5)
    clock.advance(100)
    assert [limited.take("a") for _ in range(4)].count(0.0) == 3


def test_callers_do_not_share_their_tokens() -> None:
    limited = buckets(Clock(), burst=1)
    assert limited.take("a") == 0.0
    assert limited.take("b") == 0.0
    assert limited.take("a") > 0.0


def test_the_number_of_callers_remembered_is_bounded_and_the_idlest_goes_first() -> None:
    limited = buckets(Clock(), burst=1, most=3)
    for key in ("a", "b", "c", "a", "d"):
        limited.take(key)
    assert len(limited) == 3
    assert limited.take("a") > 0.0
    assert limited.take("b") == 0.0


@given(st.lists(st.floats(0, 3), max_size=60))
def test_over_any_time_no_more_than_burst_plus_rate_is_admitted(pauses: list[float]) -> None:
    clock = Clock()
    limited = buckets(clock)
    admitted = 0
    for pause in pauses:
        clock.advance(pause)
        admitted += limited.take("a") == 0.0
    assert admitted <= 3 + 2.0 * sum(pauses) + 1e-6


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
@promise("S16")
def test_addresses_of_one_ipv6_network_are_one_peer(address: str, key: str) -> None:
    assert peer_key(address) == key


@promise("S16")
def test_a_caller_is_its_principal_wherever_it_calls_from() -> None:
    assert caller_key(ALICE, "192.0.2.1") == caller_key(ALICE, "2001:db8::1") == "api_key:alice"
    assert caller_key(ANONYMOUS, "2001:db8::1") == caller_key(None, "2001:db8::2") == "peer:2001:db8::/64"


async def test_a_caller_over_its_rate_gets_429_with_the_seconds_to_wait() -> None:
    refused: list[str] = []
    records: list[AuditRecord] = []
    inside = Inside()
    limiter = RateLimiter(RateLimitConfig(requests_per_second=0.4, burst=1), Clock())
    app = RateMiddleware(inside, limiter, record=records.append, refused=refused.append)
    assert (await get(app, state={"principal": ALICE})).status == 200
    answer = await get(app, state={"principal": ALICE}, peer="198.51.100.1")
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"] == "too many requests; wait 3 s"
    assert (await get(app, state={"principal": Principal(id="bob", method="api_key")})).status == 200
    assert len(inside.scopes) == 2
    assert refused == ["rate"]
    assert [(record.principal, record.stage, record.outcome) for record in records] == [("alice", "rate", "refused")]


async def test_a_flood_of_refused_requests_is_recorded_once_a_minute() -> None:
    clock = Clock()
    records: list[AuditRecord] = []
    limiter = RateLimiter(RateLimitConfig(requests_per_second=0.001, burst=1), clock)
    app = RateMiddleware(Inside(), limiter, record=records.append)
    for _ in range(20):
        await get(app, state={"principal": ALICE})
    clock.advance(61)
    await get(app, state={"principal": ALICE})
    assert len(records) == 2


async def test_without_authentication_the_peers_network_is_limited() -> None:
    app = RateMiddleware(Inside(), RateLimiter(RateLimitConfig(burst=1), Clock()))
    assert (await get(app, peer="2001:db8::1")).status == 200
    assert (await get(app, peer="2001:db8::2")).status == 429
    assert (await get(app, peer="2001:db8:0:1::2")).status == 200


async def test_a_limit_that_is_off_refuses_nobody() -> None:
    limiter = RateLimiter(RateLimitConfig(enabled=False, burst=1, failure_burst=1), Clock())
    app = RateMiddleware(Inside(), limiter)
    assert {(await get(app)).status for _ in range(5)} == {200}
    assert {limiter.fail("192.0.2.1") for _ in range(5)} == {0.0}


async def test_what_is_no_request_passes_uncounted() -> None:
    inside = Inside()
    app = RateMiddleware(inside, RateLimiter(RateLimitConfig(burst=1), Clock()))

    async def unused() -> dict[str, object]:
        raise AssertionError

    async def ignore(message: object) -> None:
        raise AssertionError(message)

    for _ in range(3):
        await app({"type": "lifespan"}, unused, ignore)
    assert len(inside.scopes) == 3
