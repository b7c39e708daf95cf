"""Users with passwords."""

from __future__ import annotations

import asyncio
import base64
import os
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from cloud_native_mcp.auth.authenticator import Authenticator
from cloud_native_mcp.auth.basic import AT_ONCE, WAITING, BasicUsers
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.auth.credentials import AuthUnavailable, Credentials, Unauthenticated
from cloud_native_mcp.auth.remembered import KEPT_S
from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.upstream.pool import Pool
from tests.limits.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

QUICK = PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1)
PASSWORD = "correct horse: battery"
CONFIG = {"users": {"ann": {"password_hash": QUICK.hash(PASSWORD), "groups": ["ops"]}}}


def basic(name: str, password: str) -> bytes:
    return base64.b64encode(f"{name}:{password}".encode())


def header(name: str, password: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", b"Basic " + basic(name, password))]


def users(hashed: str = CONFIG["users"]["ann"]["password_hash"], clock: Clock | None = None) -> BasicUsers:  # type: ignore[assignment]
    config = AuthConfig.model_validate({"users": {"ann": {"password_hash": hashed}}})
    return BasicUsers(config.users, SecretStore({}), clock=clock or Clock())


async def test_a_right_password_is_its_user() -> None:
    known = Authenticator(AuthConfig.model_validate(CONFIG), SecretStore({}), http=Pool())
    expected = Principal(id="ann", method="basic", groups=("ops",))
    assert await known.authenticate(header("ann", PASSWORD)) == expected
    assert await known.authenticate(header("ann", PASSWORD)) == expected


@pytest.mark.parametrize(
    "headers",
    [
        header("ann", "correct horse"),
        header("ann", ""),
        header("bob", PASSWORD),
        header("", ""),
        header("ANN", PASSWORD),
        [(b"authorization", b"Basic not-base64")],
        [(b"authorization", b"Basic " + base64.b64encode(b"\xff\xfe:x"))],
        [(b"authorization", b"Bearer " + basic("ann", PASSWORD))],
        [],
    ],
)
async def test_a_wrong_one_is_nobody(headers: list[tuple[bytes, bytes]], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    known = Authenticator(AuthConfig.model_validate(CONFIG), SecretStore({}), http=Pool())
    with pytest.raises(Unauthenticated) as refused:
        await known.authenticate(headers)
    assert "horse" not in caplog.text + refused.value.text


async def test_a_changed_password_ends_the_old_one_at_once(tmp_path: Path) -> None:
    file = tmp_path / "hash"
    file.write_text(QUICK.hash(PASSWORD), encoding="utf-8")
    known = users(f"file:{file}")
    assert await known.find(Credentials(basic=basic("ann", PASSWORD))) is not None
    file.write_text(QUICK.hash("another password"), encoding="utf-8")
    os.utime(file, (1_000, 1_000))  # as if it had lain still for long
    assert await known.find(Credentials(basic=basic("ann", PASSWORD))) is None
    assert await known.find(Credentials(basic=basic("ann", "another password"))) is not None


def _kept_until(known: BasicUsers, credential: bytes) -> float:
    kept = known._kept.get(credential)
    assert kept is not None
    return kept.until


async def test_a_right_password_is_checked_again_after_a_while() -> None:
    clock = Clock()
    known = users(clock=clock)
    credentials = Credentials(basic=basic("ann", PASSWORD))
    await known.find(credentials)
    checked = _kept_until(known, basic("ann", PASSWORD))
    clock.advance(KEPT_S + 1)
    await known.find(credentials)
    assert _kept_until(known, basic("ann", PASSWORD)) > checked


async def test_more_checks_than_can_wait_are_sent_away() -> None:
    known = users()
    asked = [Credentials(basic=basic("ann", f"guess {n}")) for n in range(AT_ONCE + WAITING + 5)]
    found = await asyncio.gather(*(known.find(one) for one in asked), return_exceptions=True)
    assert sum(isinstance(one, AuthUnavailable) for one in found) == 5
    assert [one for one in found if one is not None and not isinstance(one, AuthUnavailable)] == []


def test_what_is_no_hash_is_told_at_the_start() -> None:
    with pytest.raises(ConfigError, match="no argon2 hash"):
        users("plain text password")


def test_no_password_is_kept_in_the_clear() -> None:
    known = users()
    assert PASSWORD not in repr(vars(known))
