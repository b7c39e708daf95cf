"""Authentication and rate in front: both ways are refused and admitted alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.auth.authenticator import Authenticator
from cloud_native_mcp.auth.challenge import Challenges
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.auth.middleware import AuthMiddleware
from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.limits.middleware import RateMiddleware
from cloud_native_mcp.limits.rate import RateLimiter
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.upstream.pool import Pool
from tests.transport.sample_door import SampleDoor
from tests.transport.serving import Running, serving
from tests.transport.wire import Answer, envelope, exchange, legacy_call, modern_call, post, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

KEY = "a-key-of-no-secret-at-all"
GOOD = {"authorization": f"Bearer {KEY}"}
BURST = 20
MESSAGES = [
    modern_call("alpha_who"),
    legacy_call("alpha_who"),
    request("tools/list", {"_meta": envelope()}),
    request("tools/list", {}),
    request("server/discover", {"_meta": envelope()}),
]


def _clock() -> float:
    """Stands still: what is taken does not come back."""
    return 0.0


@pytest.fixture
def pair() -> Iterator[tuple[Running, Running]]:
    """The same server with the fast path and without it."""

    def authenticate(app: ASGIApp) -> ASGIApp:
        config = AuthConfig.model_validate({"api_keys": {"ann": {"key": KEY}}})
        known = Authenticator(config, SecretStore({}), http=Pool())
        return AuthMiddleware(app, known, (), challenges=Challenges(config))

    def limit(app: ASGIApp) -> ASGIApp:
        return RateMiddleware(app, RateLimiter(RateLimitConfig(burst=BURST), clock=_clock))

    with (
        serving(wrap=[authenticate, limit]) as fast,
        serving(wrap=[authenticate, limit], fast_path=False) as library,
    ):
        yield fast, library


def _refusal(answer: Answer) -> tuple[int, bytes, str | None, str | None]:
    return answer.status, answer.body, answer.headers.get("www-authenticate"), answer.headers.get("retry-after")


def test_both_ways_refuse_an_unknown_caller_alike_and_call_no_tool(pair: tuple[Running, Running]) -> None:
    for message in MESSAGES:
        for headers in ({}, {"authorization": "Bearer another-key-of-no-secret"}):
            fast, library = (_refusal(post(server, message, headers=headers)) for server in pair)
            assert fast == library
            assert (fast[0], bool(fast[2])) == (401, True)
    for server in pair:
        assert isinstance(server.door, SampleDoor)
        assert not server.door.requests


def test_both_ways_admit_the_same_number_of_requests_and_then_say_when_to_come_back(
    pair: tuple[Running, Running],
) -> None:
    for number in range(BURST):
        message = MESSAGES[number % len(MESSAGES)]
        assert [post(server, message, headers=GOOD).status for server in pair] == [200, 200]
    for message in MESSAGES:
        fast, library = (_refusal(post(server, message, headers=GOOD)) for server in pair)
        assert fast == library
        assert (fast[0], fast[3]) == (429, "1")


def test_both_ways_know_the_principal(pair: tuple[Running, Running]) -> None:
    for message in (modern_call("alpha_who"), legacy_call("alpha_who")):
        assert {post(server, message, headers=GOOD).text.split()[0] for server in pair} == {"ann"}


def test_probes_are_open_and_a_refused_page_can_read_why(pair: tuple[Running, Running]) -> None:
    for server in pair:
        assert exchange(server, "GET", "/readyz").status == 200
        refused = post(server, MESSAGES[0], headers={"origin": "http://localhost:6274"})
        assert refused.status == 401
        assert refused.headers["access-control-allow-origin"] == "http://localhost:6274"
        assert "WWW-Authenticate" in refused.headers["access-control-expose-headers"]
