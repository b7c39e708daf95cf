"""The ``server`` section."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.transport.config import ServerConfig


def test_the_defaults_listen_on_loopback_and_read_only() -> None:
    config = ServerConfig()
    assert (config.host, config.effects, config.toolset, config.legacy) == (
        "127.0.0.1",
        [Effect.READ],
        "core",
        "stateless",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("public_url", "ftp://mcp.example.com"),
        ("public_url", "https://user:secret@mcp.example.com"),
        ("allowed_origins", ["mcp.example.com"]),
        ("allowed_origins", ["https://mcp.example.com/page"]),
        ("allowed_hosts", ["https://mcp.example.com"]),
        ("allowed_hosts", ["*.example.com"]),
        ("allowed_hosts", [""]),
        ("trusted_proxies", ["proxy.example.com"]),
        ("effects", ["write"]),
        ("effects", ["read", "fly"]),
        ("legacy", "stateful"),
        ("port", 70_000),
        ("max_body_bytes", 10),
        ("colour", "red"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_name_of_the_setting(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        ServerConfig.model_validate({field: value})
    assert caught.value.errors()[0]["loc"][0] == field


def test_values_are_brought_to_one_form() -> None:
    config = ServerConfig.model_validate(
        {
            "public_url": "https://mcp.example.com/base/",
            "allowed_origins": ["HTTPS://Console.Example.com"],
            "allowed_hosts": ["MCP.Example.com"],
            "effects": ["destroy", "read", "read"],
        }
    )
    assert config.public_url == "https://mcp.example.com/base"
    assert config.allowed_origins == ["https://console.example.com"]
    assert config.allowed_hosts == ["mcp.example.com"]
    assert config.effects == [Effect.READ, Effect.DESTROY]


def test_a_state_key_is_not_shown() -> None:
    assert "hunter2" not in repr(ServerConfig.model_validate({"state_key": "hunter2"}))


def test_every_setting_is_described() -> None:
    assert all(field.description for field in ServerConfig.model_fields.values())
