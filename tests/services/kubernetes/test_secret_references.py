"""Secrets of the configuration that are in the cluster: read at the start, followed, and never shown."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import httpx2
import pytest

from cloud_native_mcp.app import App
from cloud_native_mcp.doors import http_app
from cloud_native_mcp.errors import ConfigError
from tests.config.loading import problems_of, settings_of
from tests.promises import promise
from tests.server_fixtures import started

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_native_mcp.config.settings import Settings
    from lab import LabEnv
    from tests.services.kubernetes.scratch import Scratch

pytestmark = pytest.mark.lab
FIRST, SECOND = "first-key-0123456789", "second-key-0123456789"


def _settings(lab: LabEnv, folder: Path, reference: str, *, kubeconfig: Path | None = None) -> Settings:
    return settings_of(
        flags={
            "kubernetes": {
                "enabled": True,
                "targets": {"lab": {"kubeconfig": str(kubeconfig or lab.kubeconfig_admin)}},
            },
            "ledger": {"targets": {"main": {"entries": 1}}},
            "utilities": {"enabled": False},
            "auth": {"api_keys": {"ci": {"key": reference}}},
            "audit": {"file": str(folder / "audit.jsonl")},
        }
    )


def _secret(scratch: Scratch, value: str) -> None:
    scratch.make("Secret", "keys", data={"ci": base64.b64encode(f"{value}\n".encode()).decode()})


async def _status(app: App, key: str) -> int:
    transport = httpx2.ASGITransport(app=http_app(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/health?detail", headers={"X-API-Key": key})
    return answer.status_code


@promise("F25")
async def test_a_key_in_a_secret_is_read_at_the_start_and_followed_and_kept_when_it_goes(
    lab: LabEnv, scratch: Scratch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    _secret(scratch, FIRST)
    reference = f"k8s:{scratch.namespace}/keys/ci"
    async with started(_settings(lab, tmp_path, reference)) as server:
        app = server.app
        assert (await _status(app, FIRST), await _status(app, SECOND)) == (200, 401)
        _secret(scratch, SECOND)
        await app.cluster_secrets.refresh()
        assert (await _status(app, FIRST), await _status(app, SECOND)) == (401, 200)
        scratch.api.delete(scratch.path("v1", "secrets", "keys"))
        await app.cluster_secrets.refresh()
        await app.cluster_secrets.refresh()
        assert await _status(app, SECOND) == 200
    told = [record.getMessage() for record in caplog.records if reference in record.getMessage()]
    new, kept = told
    assert new == f"secret {reference}: the new value is in use"
    assert kept.endswith("the value read before stays in use")
    assert FIRST not in caplog.text
    assert SECOND not in caplog.text


async def test_a_secret_that_cannot_be_read_at_the_start_is_told_by_its_setting(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    _secret(scratch, FIRST)
    for kubeconfig, place, why in (
        (lab.kubeconfig_admin, "absent/ci", "not found"),
        (lab.kubeconfig_admin, "keys/absent", "has no key absent"),
        (lab.kubeconfig_viewer, "keys/ci", "forbidden"),
        (tmp_path / "absent", "keys/ci", "there is no cluster to read it from"),
    ):
        settings = _settings(lab, tmp_path, f"k8s:{scratch.namespace}/{place}", kubeconfig=kubeconfig)
        app = App(settings)
        try:
            with pytest.raises(ConfigError) as refused:
                await app.start()
        finally:
            await app.close()
        (problem,) = refused.value.problems
        assert problem.path == "auth.api_keys.ci.key"
        assert why in problem.text
        assert FIRST not in problem.text


@pytest.mark.parametrize("reference", ["k8s:", "k8s:shop/keys", "k8s:shop/keys/a/b", "k8s:Shop/keys/a", "k8s:../x/y"])
def test_a_reference_that_names_no_key_of_a_secret_is_refused_when_the_configuration_is_checked(
    reference: str,
) -> None:
    problems = problems_of(flags={"auth": {"api_keys": {"ci": {"key": reference}}}})
    assert "write k8s:NAMESPACE/NAME/KEY" in problems["auth.api_keys.ci.key"]


def test_the_state_key_is_needed_before_the_cluster_can_be_asked() -> None:
    problems = problems_of(flags={"server": {"state_key": "k8s:shop/keys/state"}})
    assert "use env: or file:" in problems["server.state_key"]
