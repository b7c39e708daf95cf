"""What authentication settings mean and which are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cloud_native_mcp.auth.config import AuthConfig

KEYS = {"ci": {"key": "env:KEY"}}


def test_without_settings_nobody_is_asked_and_nothing_is_open_by_choice() -> None:
    config = AuthConfig()
    assert (config.enforced, config.open_by_choice) == (False, False)


def test_none_written_out_is_open_by_choice_even_with_keys() -> None:
    config = AuthConfig.model_validate({"mode": "none", "api_keys": KEYS})
    assert (config.enforced, config.open_by_choice) == (False, True)


def test_keys_are_enforced_with_and_without_the_mode_written_out() -> None:
    assert AuthConfig.model_validate({"api_keys": KEYS}).enforced
    assert AuthConfig.model_validate({"mode": ["api_key"], "api_keys": KEYS}).enforced


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"mode": ["api_key"]}, "needs at least one entry"),
        ({"mode": ["none", "api_key"], "api_keys": KEYS}, "cannot be combined"),
        ({"mode": []}, "at least 1 item"),
        ({"mode": ["magic"]}, "api_key"),
        ({"api_keys": {"a b": {"key": "x"}}}, "pattern"),
        ({"api_keys": {"ci": {"key": "x", "scope": 1}}}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        AuthConfig.model_validate(given)


def test_a_key_is_never_shown() -> None:
    config = AuthConfig.model_validate({"api_keys": {"ci": {"key": "a-very-secret-value"}}})
    assert "a-very-secret-value" not in repr(config)
