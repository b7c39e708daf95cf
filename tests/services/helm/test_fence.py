"""The operator's fence around Helm: its reads pass the client, and the program starts only for what is inside."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
from cloud_native_mcp.backends.kubernetes.fence import Fence, FenceRule
from cloud_native_mcp.backends.kubernetes.kubeconfig import load_kubeconfig
from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.http import HttpTarget
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.helm.engine.door import door
from cloud_native_mcp.upstream.pool import Pool
from lab import scene
from tests.backends.kubernetes.clusters import soon
from tests.services.helm.charts import SETTINGS, chart
from tests.services.helm.program import engine, helm
from tests.services.helm.sites import deploying
from tests.services.helm.test_rollback import two_revisions
from tests.services.kubernetes.clusters import clusters, error_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

pytestmark = pytest.mark.lab
READ = ["get", "list", "watch"]
EXTRA = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
"""


@contextlib.asynccontextmanager
async def fenced(lab: LabEnv, *allow: dict[str, object], **deny: object) -> AsyncGenerator[Desk]:
    """The service inside a fence of these rules."""
    fence = {"allow": list(allow), "deny": [deny] if deny else []}
    async with clusters(service="helm", settings=engine(lab), fence=fence, lab=lab.kubeconfig_admin) as running:
        yield running


async def denied(desk: Desk, tool: str, **arguments: object) -> str:
    """The text of the refusal by the fence."""
    error = await error_of(desk.ask(tool, **arguments))
    assert error.code == "denied_by_policy", error
    assert "helm.targets.lab.fence" in error.text
    return error.text


async def test_releases_are_those_of_the_namespaces_let_through(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    await helm(lab, "install", "web", chart(tmp_path), "-n", scratch.namespace)
    async with fenced(lab, {"namespaces": [scratch.namespace]}) as desk:
        listed = await desk.ask("list")
        assert [row[:2] for row in listed.rows] == [[scratch.namespace, "web"]]
        assert "within the fence" in listed.text
        await denied(desk, "get", name=scene.DEPLOYED_RELEASE.name, namespace=scene.RELEASES)
        for tool in ("rollback", "uninstall", "test"):
            await denied(desk, tool, name=scene.DEPLOYED_RELEASE.name, namespace=scene.RELEASES)


async def test_without_secrets_there_are_no_releases(lab: LabEnv) -> None:
    async with fenced(lab, kinds=["secrets"]) as desk:
        assert "Helm keeps releases in secrets" in await denied(desk, "list")


async def test_a_fence_of_reading_verbs_starts_no_program(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    await two_revisions(lab, scratch, tmp_path)
    release = {"name": "web", "namespace": scratch.namespace}
    async with fenced(lab, {"verbs": READ}) as desk:
        assert "web" in (await desk.ask("get", **release)).text
        await denied(desk, "rollback", dry_run=True, **release)
        await denied(desk, "rollback", **release)
        await denied(desk, "uninstall", **release)
    assert scratch.read("v1", "configmaps", "web-settings")["data"]["colour"] == "red"


async def test_a_rollback_that_would_touch_a_kind_kept_back_is_refused(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    first = chart(tmp_path, version="1.0.0", settings=SETTINGS)
    second = chart(tmp_path, version="2.0.0", settings=SETTINGS, extra=EXTRA)
    await helm(lab, "install", "web", first, "-n", scratch.namespace)
    await helm(lab, "upgrade", "web", second, "-n", scratch.namespace)
    release = {"name": "web", "namespace": scratch.namespace}
    async with fenced(lab, kinds=["serviceaccounts"]) as desk:
        assert "serviceaccounts runner" in await denied(desk, "rollback", **release)
        assert "serviceaccounts runner" in await denied(desk, "uninstall", **release)
    assert scratch.there("v1", "serviceaccounts", "runner")


async def test_objects_of_a_release_in_other_namespaces_are_judged_where_they_are(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    elsewhere = EXTRA.replace("name: runner", f"name: r-{scratch.namespace}, namespace: default")
    await helm(lab, "install", "web", chart(tmp_path, settings=SETTINGS, extra=elsewhere), "-n", scratch.namespace)
    try:
        async with fenced(lab, {"namespaces": [scratch.namespace]}) as desk:
            text = await denied(desk, "uninstall", name="web", namespace=scratch.namespace)
        assert "in default is kept back" in text
    finally:
        await helm(lab, "uninstall", "web", "-n", scratch.namespace)


async def test_inside_the_fence_a_rollback_works(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    await two_revisions(lab, scratch, tmp_path)
    async with fenced(lab, {"namespaces": [scratch.namespace]}) as desk:
        answer = await desk.ask("rollback", name="web", namespace=scratch.namespace)
    assert "now revision 3 (deployed)" in answer.text
    assert scratch.read("v1", "configmaps", "web-settings")["data"]["colour"] == "blue"


LOOKS_UP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-found}
data:
  found: {{ (lookup "v1" "ConfigMap" .Values.where "kube-root-ca.crt").metadata.name | quote }}
"""
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: before, annotations: {helm.sh/hook: "pre-install"}}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: registry.example.com/web:1.0}]}
"""


async def test_what_a_chart_looks_up_passes_the_fence_too(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    here = {"name": "web", "namespace": scratch.namespace, "chart": "site/small", "if_missing": "install"}
    fence = {"allow": [{"namespaces": [scratch.namespace]}]}
    async with deploying(lab, chart(tmp_path, found=LOOKS_UP), fence=fence) as desk:
        error = await error_of(desk.ask("deploy", values="where: default", **here))
        assert "in default is kept back by helm.targets.lab.fence" in error.text
        assert not scratch.there("v1", "configmaps", "web-found")
        await desk.ask("deploy", values=f"where: {scratch.namespace}", **here)
    assert scratch.read("v1", "configmaps", "web-found")["data"]["found"] == "kube-root-ca.crt"


async def test_inside_the_fence_a_deployment_with_hooks_and_waiting_works(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    fence = {"allow": [{"namespaces": [scratch.namespace]}]}
    async with deploying(lab, chart(tmp_path, settings=SETTINGS, job=JOB), fence=fence) as desk:
        answer = await desk.ask(
            "deploy",
            name="web",
            namespace=scratch.namespace,
            chart="site/small",
            if_missing="install",
            wait_seconds=30,
        )
        assert "installed release web" in answer.text
    assert scratch.there("v1", "configmaps", "web-settings")
    assert scratch.there("batch/v1", "jobs", "before")


async def test_the_door_is_for_the_token_of_its_run_and_shuts_with_it(lab: LabEnv) -> None:
    pool = Pool()
    try:
        access = load_kubeconfig([lab.kubeconfig_admin]).access()
        fence = Fence([FenceRule(namespaces=(scene.SHOP,))], setting="helm.targets.lab.fence")
        client = KubernetesClient(name="lab", access=access, http=pool, cache=SegmentedCache(), fence=fence)
        async with door(client) as opened:
            target = HttpTarget("test", "door", opened.server, credentials=opened.credentials, tls=opened.tls)
            inside = await pool.client(target).request("GET", f"/api/v1/namespaces/{scene.SHOP}/pods", deadline=soon())
            kept = await pool.client(target).request("GET", "/api/v1/nodes", deadline=soon())
            stranger = replace(target, name="stranger", credentials=None)
            refused = await pool.client(stranger).request("GET", "/version", deadline=soon())
        assert (inside.status, kept.status, refused.status) == (200, 403, 401)
        assert b"list nodes in all namespaces is kept back" in kept.body
        with pytest.raises(BackendError):
            await pool.client(target).request("GET", "/version", deadline=soon())
    finally:
        await pool.close()


async def test_without_a_fence_there_is_no_door(lab: LabEnv) -> None:
    pool = Pool()
    try:
        access = load_kubeconfig([lab.kubeconfig_admin]).access()
        client = KubernetesClient(name="lab", access=access, http=pool, cache=SegmentedCache())
        async with door(client) as opened:
            assert opened is access
    finally:
        await pool.close()
