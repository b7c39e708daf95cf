"""Everything that changes a release or renders a chart, with Helm 3 as the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.helm.charts import chart, failing_hook
from tests.services.helm.program import helm_json
from tests.services.helm.sites import deploying
from tests.services.helm.test_deploy import SHOWN, UNREADY, VALUES, deploy, held, settings
from tests.services.helm.test_rollback import EXTRA
from tests.services.helm.test_test import GOOD
from tests.services.kubernetes.clusters import error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.services.kubernetes.scratch import Scratch


async def test_the_life_of_a_release(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    first = chart(tmp_path, version="1.0.0", values=VALUES, shown=SHOWN)
    second = chart(tmp_path, version="2.0.0", values=VALUES, shown=SHOWN, extra=EXTRA)
    release = {"name": "web", "namespace": scratch.namespace}
    async with deploying(lab, first, second, program=lab.helm3) as desk:
        made = await deploy(desk, scratch, version="1.0.0", if_missing="install", values="colour: red", wait_seconds=20)
        assert "installed release web" in made.text
        planned = await deploy(desk, scratch, dry_run=True)
        assert "chart small-1.0.0 to small-2.0.0; 1 added, 0 changed, 0 removed" in planned.text
        await deploy(desk, scratch, values="service: {port: 90}")
        assert settings(scratch) == {"colour": "red", "port": "90"}
        stored = await helm_json(lab, "get", "values", "web", "-n", scratch.namespace)
        assert stored == {"colour": "red", "service": {"port": 90}}
        await desk.ask("rollback", revision=1, wait_seconds=20, **release)
        assert settings(scratch)["port"] == "80"
        assert not scratch.there("v1", "configmaps", "extra")
        plan = await desk.ask("uninstall", **release)
        await desk.ask("uninstall", confirm=plan.result.confirm, **release)
    assert not scratch.there("v1", "configmaps", "web-settings")


async def test_drift_is_seen_though_it_applies_at_the_client(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    async with deploying(lab, chart(tmp_path, values=VALUES, shown=SHOWN), program=lab.helm3) as desk:
        await deploy(desk, scratch, if_missing="install")
        release = {"name": "web", "namespace": scratch.namespace, "mode": "live"}
        assert "0 of 1 object changed" in (await desk.ask("diff", **release)).text
        path = scratch.path("v1", "configmaps", "web-settings")
        scratch.api.request("PATCH", path, {"data": {"colour": "green"}}, content="application/merge-patch+json")
        assert "-  colour: green\n+  colour: blue" in (await desk.ask("diff", **release)).text


@pytest.mark.parametrize("event", ["pre-install", "post-install"])
async def test_a_failed_hook_is_told_with_what_it_logged(
    lab: LabEnv, scratch: Scratch, tmp_path: Path, event: str
) -> None:
    folder = chart(tmp_path, values=VALUES, shown=SHOWN, hook=failing_hook("migrate", event))
    async with deploying(lab, folder, program=lab.helm3) as desk:
        error = await error_of(deploy(desk, scratch, if_missing="install"))
    assert error.code == "hook_failed"
    assert "it logged last: " in error.text


async def test_a_failure_is_rolled_back(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    good = chart(tmp_path, version="1.0.0", values=VALUES, shown=SHOWN)
    bad = chart(tmp_path, version="2.0.0", values=VALUES, shown=SHOWN, stuck=UNREADY)
    async with deploying(lab, good, bad, program=lab.helm3) as desk:
        await deploy(desk, scratch, version="1.0.0", if_missing="install")
        error = await error_of(deploy(desk, scratch, wait_seconds=2, rollback_on_failure=True))
    assert error.code == "rolled_back"
    assert await held(lab, scratch) == [(1, "superseded"), (2, "failed"), (3, "deployed")]


@pytest.mark.parametrize(
    ("shown", "values", "code"),
    [
        ("a: {{ .Values.colour.deep.er }}\n", "", "render_failed"),
        ("apiVersion: v1\nkind: [", "", "render_failed"),
        ("apiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: x}\n", "", "render_failed"),
    ],
)
async def test_what_is_broken_has_the_same_codes(
    lab: LabEnv, scratch: Scratch, tmp_path: Path, shown: str, values: str, code: str
) -> None:
    async with deploying(lab, chart(tmp_path, values=VALUES, shown=shown), program=lab.helm3) as desk:
        error = await error_of(deploy(desk, scratch, if_missing="install", values=values))
    assert error.code == code


async def test_charts_are_rendered_linted_and_tested(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    async with deploying(lab, chart(tmp_path, values=VALUES, shown=SHOWN, check=GOOD), program=lab.helm3) as desk:
        rendered = await desk.ask("template", chart="site/small", values="colour: red")
        assert "colour: red" in rendered.text
        linted = await desk.ask("template", chart="site/small", mode="lint")
        assert linted.rows == [["INFO", "Chart.yaml", "icon is recommended"]]
        await deploy(desk, scratch, if_missing="install")
        tested = await desk.ask("test", name="web", namespace=scratch.namespace, timeout_seconds=30)
    assert tested.rows[0][:2] == ["good", "Succeeded"]
