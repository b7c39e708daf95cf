"""Credential plugins of a kubeconfig: real processes."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING

import msgspec
import pytest
from cryptography import x509

from cloud_native_mcp.backends.kubernetes.exec_plugin import PluginCommand, PluginCredentials
from cloud_native_mcp.contract.http import ClientCertificate
from cloud_native_mcp.errors import BackendError
from tests.fault_server.tls import Authority
from tests.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

V1 = "client.authentication.k8s.io/v1"
CANARY = "canary-0d8f7e6a5b4c"
CERTIFICATE, KEY = Authority().client()
_, OTHER_KEY = Authority().client()


def plugin(folder: Path, script: str) -> str:
    """An executable that runs the shell script."""
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def credential(token: str, *, expires: str = "", version: str = V1) -> str:
    """What a plugin prints, as a shell command."""
    status = {"token": token} | ({"expirationTimestamp": expires} if expires else {})
    return f"echo '{msgspec.json.encode({'apiVersion': version, 'kind': 'ExecCredential', 'status': status}).decode()}'"


def certified(certificate: bytes, key: bytes, *, token: str = "", expires: str = "") -> str:
    """What a plugin prints that gives a client certificate, as a shell command."""
    status = {"clientCertificateData": certificate.decode(), "clientKeyData": key.decode()}
    status |= ({"token": token} if token else {}) | ({"expirationTimestamp": expires} if expires else {})
    return f"printf %s '{msgspec.json.encode({'apiVersion': V1, 'kind': 'ExecCredential', 'status': status}).decode()}'"


def counted(folder: Path, command: str) -> str:
    """A script that also counts its runs in a file."""
    return f"echo run >> {folder}/runs\n{command}"


def runs(folder: Path) -> int:
    """How often the script ran."""
    return len((folder / "runs").read_text(encoding="utf-8").splitlines())


async def failure(command: PluginCommand, *, limit: float = 10.0) -> str:
    """The text of the plugin's failure."""
    with pytest.raises(BackendError) as caught:
        await PluginCredentials(command, timeout=limit).headers()
    assert caught.value.code == "unauthorized"
    return caught.value.text


async def test_a_token_is_kept_until_it_is_refused_and_a_crowd_runs_the_plugin_once(tmp_path: Path) -> None:
    credentials = PluginCredentials(PluginCommand(V1, plugin(tmp_path, counted(tmp_path, credential("t1")))))
    answers = await asyncio.gather(*(credentials.headers() for _ in range(20)))
    assert {frozenset(headers.items()) for headers in answers} == {frozenset({("Authorization", "Bearer t1")})}
    assert runs(tmp_path) == 1
    plugin(tmp_path, counted(tmp_path, credential("t2")))
    assert await credentials.refresh()
    assert await credentials.headers() == {"Authorization": "Bearer t2"}
    assert runs(tmp_path) == 2


async def test_a_token_is_renewed_shortly_before_it_expires(tmp_path: Path) -> None:
    now = [1_900_000_000.0]
    script = counted(tmp_path, credential("t1", expires="2030-03-17T18:46:40Z"))
    credentials = PluginCredentials(PluginCommand(V1, plugin(tmp_path, script)), clock=lambda: now[0])
    for now[0], expected in ((1_900_000_000.0, 1), (1_900_003_560.0, 1), (1_900_003_580.0, 2)):
        await credentials.headers()
        assert runs(tmp_path) == expected


async def test_a_client_certificate_comes_with_or_without_a_token_and_expires_with_the_sooner(tmp_path: Path) -> None:
    ends = x509.load_pem_x509_certificate(CERTIFICATE).not_valid_after_utc.timestamp()
    now = [ends - 100.0]
    credentials = PluginCredentials(
        PluginCommand(V1, plugin(tmp_path, counted(tmp_path, certified(CERTIFICATE, KEY)))), clock=lambda: now[0]
    )
    assert credentials.certificate() is None
    assert await credentials.headers() == {}
    assert credentials.certificate() == ClientCertificate(CERTIFICATE, KEY)
    assert not await credentials.refresh()
    plugin(tmp_path, counted(tmp_path, certified(CERTIFICATE, KEY, token="t", expires="2030-03-17T18:46:40Z")))
    now[0] = ends - 29
    assert await credentials.headers() == {"Authorization": "Bearer t"}
    assert runs(tmp_path) == 3
    assert CANARY not in repr(credentials.certificate())
    assert "PRIVATE" not in repr(credentials.certificate())


async def test_the_plugin_is_told_the_cluster_and_gets_no_settings_of_this_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNMCP_AUTH__KEY", CANARY)
    script = f"env > {tmp_path}/env; {credential('t')}"
    command = PluginCommand(
        V1, plugin(tmp_path, script), args=("a", "b"), env={"REGION": "eu"}, cluster={"server": "https://api.example"}
    )
    await PluginCredentials(command).headers()
    seen = (tmp_path / "env").read_text(encoding="utf-8")
    assert "REGION=eu" in seen
    assert '"server":"https://api.example"' in seen
    assert '"interactive":false' in seen
    assert CANARY not in seen
    assert f"HOME={os.environ['HOME']}" in seen


@promise("F27")
@pytest.mark.parametrize("script", ["exec sleep 60", "sleep 60 & wait"])
async def test_a_plugin_that_hangs_is_killed_at_its_limit_with_all_it_started(tmp_path: Path, script: str) -> None:
    async with asyncio.timeout(10):
        text = await failure(PluginCommand(V1, plugin(tmp_path, script)), limit=0.2)
    assert "gave no answer within 0.2 s" in text


async def test_a_cancelled_caller_leaves_no_plugin_running(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60"
    credentials = PluginCredentials(PluginCommand(V1, plugin(tmp_path, script)))
    caller = asyncio.create_task(credentials.headers())
    async with asyncio.timeout(5):
        while not (tmp_path / "pid").exists():  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(0.01)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text(encoding="utf-8")), 0)


@promise("F27")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"echo 'denied, token={CANARY}' >&2; exit 3", "ended with status 3: denied"),
        ("echo garbage", "did not print an ExecCredential"),
        ("true", "did not print an ExecCredential"),
        (credential("t", version="client.authentication.k8s.io/v1beta1"), "another kind or version"),
        (credential(""), "no usable token"),
        (credential("two\\nlines"), "no usable token"),
        (certified(b"x", b""), "no usable pair"),
        (certified(b"x", CANARY.encode()), "no usable pair"),
        (certified(CERTIFICATE, b""), "no usable pair"),
        (certified(b"", KEY), "no usable pair"),
        (certified(CERTIFICATE, OTHER_KEY), "the key of another one"),
        ("head -c 1100000 /dev/zero", "more than 1 MB"),
    ],
)
async def test_a_plugin_that_fails_says_why_and_keeps_its_secrets(tmp_path: Path, script: str, words: str) -> None:
    text = await failure(PluginCommand(V1, plugin(tmp_path, script)))
    assert words in text
    assert CANARY not in text


async def test_a_missing_plugin_names_how_to_install_it(tmp_path: Path) -> None:
    command = PluginCommand(V1, str(tmp_path / "absent"), install_hint="install it with: brew install absent")
    text = await failure(command)
    assert "cannot be started" in text
    assert "brew install absent" in text
    assert str(tmp_path) not in text
