"""Helm for the caller: releases that the cluster shows it, and the program with that user's rights."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import ToolError
from tests.services.helm.charts import SETTINGS, chart
from tests.services.helm.program import helm
from tests.services.helm.sites import deploying
from tests.services.kubernetes.acting import RBAC, acting_target, actor, allow, as_caller
from tests.services.kubernetes.clusters import error_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

pytestmark = pytest.mark.lab
LOOKS_UP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-found}
data:
  found: {{ (lookup "v1" "ConfigMap" "default" "kube-root-ca.crt").metadata.name | default "nothing" | quote }}
"""


@pytest.fixture
async def helms(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> AsyncGenerator[tuple[Desk, Desk]]:
    """The service for ``alice``, who may edit the namespace, and for ``bob``, who may read it but for its Secrets."""
    with actor(lab, scratch, tmp_path) as kubeconfig:
        allow(scratch, "alice", "edit")
        allow(scratch, "bob", "view")
        charts = (chart(tmp_path, settings=SETTINGS), chart(tmp_path, "looking", found=LOOKS_UP))
        async with deploying(lab, *charts, target=acting_target(kubeconfig, scratch)) as desk:
            yield as_caller(desk, "alice"), as_caller(desk, "bob")


async def test_a_release_is_deployed_with_the_rights_of_the_caller(helms: tuple[Desk, Desk], scratch: Scratch) -> None:
    alice, bob = helms
    release = {"name": "web", "namespace": scratch.namespace, "chart": "site/small", "if_missing": "install"}
    refused = await error_of(bob.ask("deploy", **release))
    assert f"{scratch.namespace}:bob" in refused.text
    assert not scratch.there("v1", "configmaps", "web-settings")
    assert "installed release web" in (await alice.ask("deploy", **release)).text
    assert scratch.there("v1", "configmaps", "web-settings")


async def test_what_a_chart_looks_up_is_what_the_caller_may_read(helms: tuple[Desk, Desk], scratch: Scratch) -> None:
    alice, _ = helms
    release = {"name": "web", "namespace": scratch.namespace, "chart": "site/looking", "if_missing": "install"}
    refused = await error_of(alice.ask("deploy", **release))
    assert f'User "{scratch.namespace}:alice" cannot get resource "configmaps"' in refused.text
    assert not scratch.there("v1", "configmaps", "web-found")


async def test_releases_that_one_caller_has_read_are_not_shown_to_another(
    lab: LabEnv, helms: tuple[Desk, Desk], scratch: Scratch, tmp_path: Path
) -> None:
    alice, bob = helms
    await helm(lab, "install", "web", chart(tmp_path / "own", settings=SETTINGS), "-n", scratch.namespace)
    release = {"name": "web", "namespace": scratch.namespace}

    async def told(desk: Desk, tool: str, **arguments: object) -> str:
        try:
            return (await desk.ask(tool, **arguments)).text
        except ToolError as error:
            return error.text

    for _ in range(10):
        answers = await asyncio.gather(
            *(told(desk, "list", namespace=scratch.namespace) for desk in (alice, bob)),
            *(told(desk, "get", **release) for desk in (alice, bob)),
        )
        assert ["small-1.0.0" in text or "small 1.0.0" in text for text in answers] == [True, False, True, False]
        assert f"user {scratch.namespace}:bob may not list secrets in namespace" in answers[1]


async def test_what_is_kept_of_a_release_is_for_the_caller_who_read_it(
    lab: LabEnv, helms: tuple[Desk, Desk], scratch: Scratch, tmp_path: Path
) -> None:
    alice, bob = helms
    await helm(lab, "install", "web", chart(tmp_path / "own", settings=SETTINGS), "-n", scratch.namespace)
    metadata = {"name": "lister", "namespace": scratch.namespace}
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    scratch.api.apply({"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules})
    allow(scratch, "bob", "lister", kind="Role")
    release = {"name": "web", "namespace": scratch.namespace}
    assert "revision 1" in (await alice.ask("get", **release)).text
    refused = await error_of(bob.ask("get", **release))
    assert f'User "{scratch.namespace}:bob" cannot get resource "secrets"' in refused.text
