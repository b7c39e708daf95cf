"""API keys become principals; everything odd is refused without telling why in detail."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.auth.api_keys import REFRESH_S, ApiKeys
from cloud_native_mcp.auth.authenticator import Authenticator
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.auth.credentials import BadCredentials, InvalidToken, Unauthenticated
from cloud_native_mcp.contract.principal import ANONYMOUS, Principal
from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.upstream.pool import Pool
from tests.limits.clock import Clock
from tests.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

CI_KEY = "ci-key-0123456789abcdef"
OPS_KEY = "ops-key-0123456789abcdef"
CONFIG = AuthConfig.model_validate(
    {"api_keys": {"ci": {"key": "env:CI_KEY", "groups": ["builders"]}, "ops": {"key": OPS_KEY}}}
)
Headers = list[tuple[bytes, bytes]]


def _replace(file: Path, content: str) -> None:
    """New content that has lain still for long."""
    file.write_text(content, encoding="utf-8")
    os.utime(file, (1_000, 1_000))


@pytest.fixture
def keys() -> Authenticator:
    return Authenticator(CONFIG, SecretStore({"CI_KEY": CI_KEY}), http=Pool())


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", f"Bearer {CI_KEY}".encode())],
        [(b"authorization", f"bearer   {CI_KEY} ".encode())],
        [(b"x-api-key", CI_KEY.encode())],
        [(b"x-api-key", CI_KEY.encode()), (b"authorization", f"Bearer {CI_KEY}".encode())],
        [(b"x-api-key", CI_KEY.encode()), (b"authorization", b"Basic dXNlcjpwYXNz")],
    ],
)
async def test_a_known_key_is_its_principal_in_either_header(keys: Authenticator, headers: Headers) -> None:
    assert await keys.authenticate(headers) == Principal(id="ci", method="api_key", groups=("builders",))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-api-key", b"")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer ")],
        [(b"authorization", b"Basic dXNlcjpwYXNz")],
        [(b"authorization", CI_KEY.encode())],
        [(b"cookie", CI_KEY.encode())],
    ],
)
@promise("S6")
async def test_a_request_without_a_key_is_challenged(keys: Authenticator, headers: Headers) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await keys.authenticate(headers)
    assert not isinstance(refused.value, InvalidToken)


@pytest.mark.parametrize("wrong", [CI_KEY[:-1], CI_KEY + "x", CI_KEY.upper(), "x" * 40, CI_KEY + " " + OPS_KEY])
@promise("S6")
async def test_a_wrong_key_is_refused_and_appears_nowhere(
    keys: Authenticator, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(InvalidToken) as refused:
        await keys.authenticate([(b"x-api-key", wrong.encode())])
    assert wrong not in caplog.text + refused.value.text


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")],
        [(b"authorization", f"Bearer {CI_KEY}".encode())] * 2,
        [(b"x-api-key", CI_KEY.encode())] * 2,
        [(b"authorization", b"Bearer " + b"x" * 65_536)],
        [(b"x-api-key", b"x" * 65_536)],
        [(b"authorization", b"Bearer a\r\nX-Admin: 1")],
        [(b"x-api-key", "schlüssel".encode())],
        [(b"x-api-key", b"a\x00b")],
        [(b"x-api-key", CI_KEY.encode()), (b"authorization", f"Bearer {OPS_KEY}".encode())],
    ],
)
@pytest.mark.parametrize("mode", ["keys", "none"])
@promise("B21")
async def test_ambiguous_or_malformed_credentials_are_refused_in_every_mode(
    keys: Authenticator, headers: Headers, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    if mode == "none":
        config = AuthConfig.model_validate({"mode": "none"})
        keys = Authenticator(config, SecretStore({}), http=Pool())
    with pytest.raises(BadCredentials) as refused:
        await keys.authenticate(headers)
    assert len(str(refused.value)) < 120
    assert caplog.text == ""


async def test_without_keys_everybody_is_anonymous() -> None:
    open_to_all = Authenticator(AuthConfig(), SecretStore({}), http=Pool())
    assert await open_to_all.authenticate([(b"x-api-key", b"whatever")]) is ANONYMOUS


def test_all_faults_of_keys_are_told_at_once_without_the_keys() -> None:
    config = AuthConfig.model_validate(
        {"api_keys": {"a": {"key": "env:GONE"}, "b": {"key": "short-key"}, "c": {"key": CI_KEY}, "d": {"key": CI_KEY}}}
    )
    with pytest.raises(ConfigError) as refused:
        Authenticator(config, SecretStore({}), http=Pool())
    assert [problem.path for problem in refused.value.problems] == [f"auth.api_keys.{name}.key" for name in "abd"]
    assert CI_KEY not in str(refused.value)
    assert "short-key" not in str(refused.value)


def test_no_key_is_kept_in_the_clear(keys: Authenticator) -> None:
    (method,) = keys._methods
    assert isinstance(method, ApiKeys)
    kept = [part for part in vars(method).values() if part is not method._secrets and part is not method._config]
    assert CI_KEY not in repr(kept)
    assert OPS_KEY not in repr(kept)


async def test_a_rotated_file_is_taken_up_and_a_missing_one_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(CI_KEY, encoding="utf-8")
    clock = Clock()
    config = AuthConfig.model_validate({"api_keys": {"ci": {"key": f"file:{file}"}}})
    keys = Authenticator(config, SecretStore({}), http=Pool(), clock=clock)
    _replace(file, OPS_KEY)
    clock.advance(REFRESH_S)
    assert (await keys.authenticate([(b"x-api-key", OPS_KEY.encode())])).id == "ci"
    with pytest.raises(Unauthenticated):
        await keys.authenticate([(b"x-api-key", CI_KEY.encode())])
    file.unlink()
    clock.advance(REFRESH_S)
    assert (await keys.authenticate([(b"x-api-key", OPS_KEY.encode())])).id == "ci"


async def test_a_rotation_to_a_key_that_is_too_short_is_not_taken_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "key"
    file.write_text(CI_KEY, encoding="utf-8")
    clock = Clock()
    config = AuthConfig.model_validate({"api_keys": {"ci": {"key": f"file:{file}"}}})
    keys = Authenticator(config, SecretStore({}), http=Pool(), clock=clock)
    _replace(file, "tiny")
    clock.advance(REFRESH_S)
    assert (await keys.authenticate([(b"x-api-key", CI_KEY.encode())])).id == "ci"
    assert "shorter than 16" in caplog.text
    assert "tiny" not in caplog.text
