"""Client certificates of a credential plugin, signed by the lab's authority and judged by its API server."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
from cloud_native_mcp.backends.kubernetes.exec_plugin import PluginCredentials
from cloud_native_mcp.backends.kubernetes.kubeconfig import load_kubeconfig
from cloud_native_mcp.backends.kubernetes.kubeconfig_export import kubeconfig_for
from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.upstream.pool import Pool
from lab import pki
from tests.backends.kubernetes.clusters import soon
from tests.backends.kubernetes.test_exec_plugin import V1, certified, counted, plugin, runs
from tests.promises import promise
from tests.services.kubernetes.clusters import clusters
from tests.services.kubernetes.kubectl import kubectl

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from lab import LabEnv

pytestmark = pytest.mark.lab
PAST = "2020-01-01T00:00:00Z"


def signed(lab: LabEnv, user: str) -> tuple[bytes, bytes]:
    """Certificate and key of a user of the lab, made by its authority."""
    key = serialization.load_pem_private_key((lab.state / "pki/ca.key").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    authority = pki.Authority(key, x509.load_pem_x509_certificate((lab.state / "pki/ca.crt").read_bytes()))
    return authority.client(user, "ops")


def kubeconfig(lab: LabEnv, folder: Path) -> Path:
    """A kubeconfig whose user is what the plugin in the folder gives."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "clusters": [{"name": "c", "cluster": {"server": lab.kube_api, "certificate-authority": str(lab.kube_ca)}}],
        "users": [
            {
                "name": "u",
                "user": {"exec": {"apiVersion": V1, "command": f"{folder}/plugin", "interactiveMode": "Never"}},
            }
        ],
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
    }
    path = folder / "config"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@contextlib.asynccontextmanager
async def connected(lab: LabEnv, folder: Path) -> AsyncGenerator[KubernetesClient]:
    """A client that is who the plugin in the folder says."""
    pool = Pool()
    try:
        access = load_kubeconfig([kubeconfig(lab, folder)]).access()
        yield KubernetesClient(name="lab", access=access, http=pool, cache=SegmentedCache())
    finally:
        await pool.close()


async def whoami(client: KubernetesClient) -> str:
    """Who the API server takes the client for."""
    reviews = await client.discovery.resolve("selfsubjectreviews", deadline=soon())
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = await client.create(reviews, review, deadline=soon(), read=True)
    return as_str(dig(answer, "status", "userInfo", "username"))


async def test_the_api_server_knows_the_certificate_and_a_renewed_one_takes_its_place(
    lab: LabEnv, tmp_path: Path
) -> None:
    plugin(tmp_path, counted(tmp_path, certified(*signed(lab, "first"))))
    async with connected(lab, tmp_path) as client:
        assert [await whoami(client) for _ in range(3)] == ["first"] * 3
        assert runs(tmp_path) == 1
        plugin(tmp_path, counted(tmp_path, certified(*signed(lab, "second"))))
        assert isinstance(client.access.credentials, PluginCredentials)
        assert await client.access.credentials.refresh()
        assert [await whoami(client) for _ in range(3)] == ["second"] * 3
        assert runs(tmp_path) == 2


async def test_a_certificate_that_is_about_to_expire_is_replaced_before_the_next_request(
    lab: LabEnv, tmp_path: Path
) -> None:
    plugin(tmp_path, certified(*signed(lab, "short"), expires=PAST))
    async with connected(lab, tmp_path) as client:
        assert await whoami(client) == "short"
        plugin(tmp_path, counted(tmp_path, certified(*signed(lab, "long"))))
        assert [await whoami(client) for _ in range(3)] == ["long"] * 3
        assert runs(tmp_path) == 1


async def test_a_certificate_the_api_server_does_not_trust_is_replaced_once(lab: LabEnv, tmp_path: Path) -> None:
    stranger = pki.Authority.create("another-ca").client("stranger", "")
    good = certified(*signed(lab, "known"))
    bad = certified(*stranger)
    plugin(tmp_path, counted(tmp_path, f"if [ $(wc -l < {tmp_path}/runs) = 1 ]; then {bad}; else {good}; fi"))
    async with connected(lab, tmp_path) as client:
        assert await whoami(client) == "known"
    assert runs(tmp_path) == 2


@promise("F27")
async def test_a_plugin_that_stops_giving_certificates_is_told_and_its_key_is_not(lab: LabEnv, tmp_path: Path) -> None:
    certificate, key = signed(lab, "someone")
    plugin(tmp_path, certified(certificate, key, expires=PAST))
    async with connected(lab, tmp_path) as client:
        assert await whoami(client) == "someone"
        _, other = signed(lab, "someone")
        plugin(tmp_path, certified(certificate, other))
        with pytest.raises(BackendError) as caught:
            await whoami(client)
    assert caught.value.code == "unauthorized"
    assert "the key of another one" in caught.value.text
    assert other.decode().splitlines()[2] not in caught.value.text


async def test_a_stream_and_another_program_are_who_the_certificate_says(lab: LabEnv, tmp_path: Path) -> None:
    plugin(tmp_path, certified(*signed(lab, "nobody-known")))
    async with connected(lab, tmp_path) as client:
        with pytest.raises(BackendError, match='User \\"nobody-known\\" cannot'):
            async with client.stream("/api/v1/namespaces/shop/pods/toolbox/log", deadline=soon()):
                pass
        exported = tmp_path / "exported"
        exported.write_text(json.dumps(await kubeconfig_for(client.access, namespace="shop")), encoding="utf-8")
        said = await kubectl(lab, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", config=exported)
    assert said == "nobody-known"


async def test_the_health_of_a_cluster_tells_when_the_certificate_expires(lab: LabEnv, tmp_path: Path) -> None:
    certificate, key = signed(lab, "lab-admin")
    plugin(tmp_path, certified(certificate, key))
    async with clusters(lab=kubeconfig(lab, tmp_path)) as desk:
        rows = {row[1]: row for row in (await desk.ask("clusters", view="health")).rows}
    ends = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    assert f"{ends:%Y-%m-%d}" in " ".join(str(cell) for cell in rows["client certificate"])
