"""The operator's fence around Helm: its reads pass the client, and the program starts only for what is inside."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from lab import scene
from tests.services.helm.charts import SETTINGS, chart
from tests.services.helm.program import engine, helm
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
