from __future__ import annotations

from cloud_native_mcp.config.documented import settings as documented
from cloud_native_mcp.config.masking import shown
from cloud_native_mcp.config.service_types import config_types
from cloud_native_mcp.contract import yaml
from cloud_native_mcp.manager.discovery import discover
from tests.config.loading import settings_of
from tests.promises import promise

CANARY = "hunter2-canary-0123456789-0123456789"


@promise("S5")
def test_no_secret_is_in_the_configuration_as_it_is_shown() -> None:
    settings = settings_of(
        environ={"PIN": CANARY},
        flags={
            "server": {"state_key": [CANARY, f"{CANARY}2"]},
            "auth": {"api_keys": {"me": {"key": f"{CANARY}3"}}},
            "ledger": {"targets": {"main": {"pin": CANARY}, "other": {"pin": "env:PIN"}}},
            "prometheus": {
                "targets": {
                    "token": {"url": "http://h", "auth": {"token": CANARY}},
                    "basic": {"url": "http://h", "auth": {"username": "me", "password": CANARY}},
                    "headers": {"url": "http://h", "headers": {"X-Scope-OrgID": CANARY}},
                    "proxied": {"url": "http://h", "proxy": f"http://me:{CANARY}@proxy:1"},
                }
            },
        },
    )
    text = yaml.dump(shown(settings))
    assert "canary" not in text
    assert text.count("***") >= 8
    for kept in ("X-Scope-OrgID", "username: me", "url: http://h", "me:"):
        assert kept in text
    assert CANARY not in repr(settings)


def test_what_is_shown_can_be_read_again() -> None:
    flags = {"ledger": {"targets": {"main": {"entries": 3}}}, "auth": {"mode": ["none"]}, "server": {"port": 1}}
    settings = settings_of(flags=flags)
    assert settings_of(flags=shown(settings)).sections == settings.sections


def test_settings_named_like_secrets_are_declared_secret() -> None:
    endings = ("key", "token", "password", "secret", "pin")
    types = config_types(discover(extra=["tests.samples.ledger"]))
    named = [setting for setting in documented(types) if setting.path.endswith(endings)]
    assert len(named) >= 5
    assert [setting.path for setting in named if "secret" not in setting.type] == []
