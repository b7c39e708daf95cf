"""Configuration, credentials, start, probe and cache of the service."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.errors import BackendError, ConfigError
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.services.prometheus.config import PrometheusConfig, PrometheusTarget
from cloud_native_mcp.services.prometheus.credentials import TargetCredentials
from cloud_native_mcp.services.prometheus.masking import configuration, masked_labels, message
from cloud_native_mcp.services.prometheus.ranges import grid
from tests.calls import desk
from tests.fault_server.behaviours import answer
from tests.fault_server.server import closed_port, fault_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.calls import Desk

URL = "http://prometheus:9090"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"url": "prometheus:9090"}, "must be an http:// or https:// address"),
        ({"url": "ftp://prometheus"}, "must be an http:// or https:// address"),
        ({"url": "http://"}, "must be an http:// or https:// address"),
        ({"url": "http://me:secret@prometheus"}, "must not hold a user or password"),
        ({"url": "http://prometheus/?a=b"}, "must not hold a query or fragment"),
        ({"url": URL, "public_url": "javascript:alert(1)"}, "must be an http:// or https:// address"),
        (
            {"url": URL, "auth": {"token": "t", "username": "u", "password": "p"}},
            "token excludes username and password",
        ),
        ({"url": URL, "auth": {"username": "u"}}, "username and password belong together"),
        ({"url": URL, "auth": {"password": "p"}}, "username and password belong together"),
        ({"url": URL, "tls": {"cert_file": "/c.pem"}}, "cert_file and key_file belong together"),
        ({"url": URL, "timeout": 0}, "greater than 0"),
        ({"url": URL, "user": "me"}, "Extra inputs are not permitted"),
        ({}, "Field required"),
    ],
)
def test_a_bad_target_is_refused_with_the_reason_and_without_the_value(target: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PrometheusConfig.model_validate({"targets": {"main": target}})
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_service_is_wanted_when_it_has_a_target_unless_told_otherwise() -> None:
    targets = {"main": {"url": URL}}
    assert not PrometheusConfig().wanted
    assert PrometheusConfig.model_validate({"targets": targets}).wanted
    assert not PrometheusConfig.model_validate({"targets": targets, "enabled": False}).wanted
    with pytest.raises(ValidationError, match="default_target 'x' is not one of the targets"):
        PrometheusConfig.model_validate({"targets": targets, "default_target": "x"})


async def test_the_default_target_comes_first() -> None:
    targets = {name: {"url": URL} for name in ("a", "b", "c")}
    async with desk("prometheus", {"targets": targets, "default_target": "b"}) as prometheus:
        assert prometheus.service.targets == ("b", "a", "c")


async def test_a_missing_secret_is_told_at_start() -> None:
    target = {"url": URL, "auth": {"token": "env:CNMCP_TEST_NO_SUCH_VARIABLE"}}
    with pytest.raises(ConfigError, match="CNMCP_TEST_NO_SUCH_VARIABLE"):
        async with desk("prometheus", {"targets": {"main": target}}):
            pass


async def test_a_rotated_token_file_is_used_at_once_and_a_retry_makes_sense(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first", encoding="utf-8")
    config = PrometheusTarget.model_validate({"url": URL, "auth": {"token": f"file:{token}"}})
    credentials = TargetCredentials(config, SecretStore())
    assert await credentials.headers() == {"Authorization": "Bearer first"}
    assert not await credentials.refresh()
    token.write_text("the second", encoding="utf-8")
    os.utime(token, (1_000, 1_000))  # as if it had lain still for long
    assert await credentials.refresh()
    assert await credentials.headers() == {"Authorization": "Bearer the second"}


async def test_the_probe_tells_the_version(main: Desk) -> None:
    server_probe = await main.service.probe("main", Deadline.after(10))
    assert server_probe.version.startswith("3.")


async def test_a_backend_without_build_information_is_probed_with_a_query() -> None:
    """VictoriaMetrics and older Thanos have no /status/buildinfo."""
    one = {"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}
    async with (
        fault_server(answer("404 page not found\n", status=404), answer(one)) as server,
        desk("prometheus", {"targets": {"vm": {"url": server.url}}}) as prometheus,
    ):
        assert (await prometheus.service.probe("vm", Deadline.after(10))).version == ""
    assert [request.path for request in server.requests] == ["/api/v1/status/buildinfo", "/api/v1/query"]


async def test_the_probe_of_a_dead_backend_fails() -> None:
    with closed_port() as url:
        async with desk("prometheus", {"targets": {"main": {"url": url}}}) as prometheus:
            with pytest.raises(BackendError) as caught:
                await prometheus.service.probe("main", Deadline.after(10))
    assert caught.value.code == "unreachable"


def test_secrets_in_discovered_labels_are_masked_by_name_and_by_look() -> None:
    labels = {
        "__param_token": "abc",
        "__param_module": "http_2xx",
        "__param_sig": "abc",
        "__meta_consul_service_metadata_api_key": "abc",
        "__param_target": "http://me:abc@shop/",
        "job": "web",
    }
    assert masked_labels(labels) == {
        "__param_token": "***",
        "__param_module": "http_2xx",
        "__param_sig": "***",
        "__meta_consul_service_metadata_api_key": "***",
        "__param_target": "http://***@shop/",
        "job": "web",
    }


def test_secrets_in_the_configuration_are_masked_and_the_rest_is_kept() -> None:
    whole = {
        "scrape_configs": [
            {
                "job_name": "a",
                "params": {"token": ["abc"], "module": ["x"]},
                "authorization": {"type": "Bearer", "credentials": "<secret>"},
                "http_headers": {"X-Key": {"values": ["abc"]}, "Accept": {"values": ["text/plain"]}},
                "honor_labels": False,
                "sample_limit": 7,
            }
        ],
        "remote_write": [{"url": "https://me:abc@far/write?api_key=abc", "headers": {"Authorization": "Bearer abc"}}],
        "empty": None,
    }
    assert configuration(whole) == {
        "scrape_configs": [
            {
                "job_name": "a",
                "params": {"token": ["***"], "module": ["x"]},
                "authorization": {"type": "Bearer", "credentials": "<secret>"},
                "http_headers": {"X-Key": "***", "Accept": {"values": ["text/plain"]}},
                "honor_labels": False,
                "sample_limit": 7,
            }
        ],
        "remote_write": [{"url": "https://***@far/write?api_key=***", "headers": {"Authorization": "***"}}],
        "empty": None,
    }


def test_a_long_message_becomes_one_line_that_says_how_much_is_missing() -> None:
    assert message("a\nb\tc") == "a b c"
    assert message("x" * 310).endswith("x…(+10)")


@pytest.mark.parametrize(
    ("start", "step", "points", "expected"),
    [
        ("now-1h", None, 300, "step 15s"),
        ("now-1h", "15s", 300, "step 15s"),
        ("now-1h", "1s", 300, "step 15s (widened from 1s)"),
        ("now-5m", None, 300, "step 2s"),
        ("now-30d", None, 300, "step 3h"),
        ("now-1d", "1h", 10, "step 3h (widened from 1h)"),
        ("now-10s", "250ms", 300, "step 250ms"),
    ],
)
def test_the_step_fits_the_range(start: str, step: str | None, points: int, expected: str) -> None:
    found = grid(start, "now", step, max_points=points)
    assert found.describe().endswith(expected)
    assert found.points <= points
