"""A request comes in as somebody, or it is answered and recorded without reaching the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.auth.authenticator import Authenticator
from cloud_native_mcp.auth.challenge import Challenges
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.auth.middleware import AuthMiddleware
from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.limits.rate import RateLimiter
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.upstream.pool import Pool
from tests.limits.asgi import Inside, get
from tests.limits.clock import Clock
from tests.promises import promise

if TYPE_CHECKING:
    from cloud_native_mcp.audit.record import AuditRecord

KEY = "ci-key-0123456789abcdef"
GOOD = [(b"x-api-key", KEY.encode())]
BAD = [(b"authorization", b"Bearer wrong-key-0123456789")]


class Gate:
    """The middleware before an app, with all it tells."""

    def __init__(self, *, failure_burst: int = 100) -> None:
        self.inside = Inside()
        self.records: list[AuditRecord] = []
        self.refused: list[str] = []
        config = AuthConfig.model_validate({"api_keys": {"ci": {"key": KEY}}})
        self.app = AuthMiddleware(
            self.inside,
            Authenticator(config, SecretStore({}), http=Pool()),
            ["/livez", "/health"],
            challenges=Challenges(config),
            limiter=RateLimiter(RateLimitConfig(failure_burst=failure_burst), Clock()),
            record=self.records.append,
            refused=self.refused.append,
        )

    @property
    def principals(self) -> list[str | None]:
        found = [scope.get("state", {}).get("principal") for scope in self.inside.scopes]
        return [principal.id if principal else None for principal in found]


async def test_a_known_key_comes_in_as_its_principal() -> None:
    gate = Gate()
    assert (await get(gate.app, headers=GOOD)).status == 200
    assert gate.principals == ["ci"]
    assert gate.records == []


@pytest.mark.parametrize("headers", [[], BAD])
@promise("S6")
async def test_an_unknown_caller_gets_401_with_a_challenge_and_is_recorded(headers: list[tuple[bytes, bytes]]) -> None:
    gate = Gate()
    answer = await get(gate.app, headers=headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="cloud-native-mcp"')
    assert answer.json["title"] == "Unauthorized"
    assert gate.inside.scopes == []
    assert gate.refused == ["auth"]
    (record,) = gate.records
    assert (record.outcome, record.stage, record.code, record.peer) == (
        "refused",
        "auth",
        "unauthenticated",
        "192.0.2.1",
    )


@promise("B21")
async def test_two_authorization_headers_get_400_and_reach_nothing() -> None:
    gate = Gate()
    answer = await get(gate.app, headers=[*BAD, *BAD])
    assert answer.status == 400
    assert answer.json["detail"] == "authorization is given 2 times; send it once"
    assert gate.inside.scopes == []
    assert [(record.code, record.stage) for record in gate.records] == [("malformed_credentials", "auth")]


@promise("S16")
async def test_a_peer_that_guesses_keys_is_held_off_and_others_with_keys_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    gate = Gate(failure_burst=3)
    statuses = [
        (await get(gate.app, headers=[(b"x-api-key", f"guess-number-{n:08}".encode())], peer=f"2001:db8::{n}")).status
        for n in range(1, 6)
    ]
    assert statuses == [401, 401, 401, 429, 429]
    assert len(gate.records) == len(caplog.records) == 3
    assert "2001:db8::1" in caplog.text
    assert "guess" not in caplog.text
    assert (await get(gate.app, headers=GOOD, peer="2001:db8::1")).status == 200
    assert (await get(gate.app, headers=BAD, peer="2001:db8:0:1::1")).status == 401


async def test_open_paths_need_no_key_but_know_who_has_one() -> None:
    gate = Gate()
    assert (await get(gate.app, "/livez")).status == 200
    assert (await get(gate.app, "/health", headers=BAD)).status == 200
    assert (await get(gate.app, "/health", headers=GOOD)).status == 200
    assert (await get(gate.app, "/health/x")).status == 401
    assert gate.principals == [None, None, "ci"]


async def test_what_is_no_request_passes() -> None:
    gate = Gate()

    async def unused() -> dict[str, object]:
        raise AssertionError

    async def ignore(message: object) -> None:
        raise AssertionError(message)

    await gate.app({"type": "lifespan"}, unused, ignore)
    assert len(gate.inside.scopes) == 1
