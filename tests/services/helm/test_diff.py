"""helm_diff with the lab's Helm: revisions, upgrades, drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import CANARY, scene
from tests.services.helm.charts import chart
from tests.services.helm.program import helm, helm_json
from tests.services.helm.sites import deploying
from tests.services.helm.test_deploy import SHOWN, VALUES
from tests.services.helm.test_rollback import EXTRA, two_revisions
from tests.services.kubernetes.clusters import error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch


async def diff(desk: Desk, scratch: Scratch, **arguments: object) -> Answer:
    """Compare the release ``web``."""
    return await desk.ask("diff", name="web", namespace=scratch.namespace, **arguments)


async def test_two_revisions_differ_in_chart_values_and_objects(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await two_revisions(lab, scratch, tmp_path)
    answer = await diff(cluster, scratch)
    assert answer.text.startswith("revision 1 (superseded) to 2 (deployed) of release web")
    assert "chart small-1.0.0 to small-2.0.0; 1 added, 1 changed, 0 removed" in answer.text
    assert "+colour: red" in answer.text
    assert "-  colour: blue\n+  colour: red" in answer.text
    assert "ConfigMap extra: added" in answer.text
    back = await diff(cluster, scratch, revision=2, to_revision=1)
    assert "0 added, 1 changed, 1 removed" in back.text
    bare = await diff(cluster, scratch, context_lines=0)
    assert len(bare.text) < len(answer.text)


async def test_secret_values_are_digests_that_tell_a_change(cluster: Desk) -> None:
    release = {"name": scene.DEPLOYED_RELEASE.name, "namespace": scene.RELEASES}
    answer = await cluster.ask("diff", **release)
    assert CANARY not in answer.text
    assert "+apiToken: " in answer.text


async def test_a_revision_that_is_not_held_is_refused(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await helm(lab, "install", "web", chart(tmp_path), "-n", scratch.namespace)
    error = await error_of(diff(cluster, scratch))
    assert (error.code, error.text.startswith("revision: none before 1")) == ("revision_not_found", True)
    for field in ("revision", "to_revision"):
        error = await error_of(diff(cluster, scratch, **{field: 9}))
        assert (error.code, error.text.startswith(f"{field}: 9")) == ("revision_not_found", True)


async def test_an_upgrade_is_shown_without_being_done(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    first = chart(tmp_path, version="1.0.0", values=VALUES, shown=SHOWN)
    second = chart(tmp_path, version="2.0.0", values=VALUES, shown=SHOWN, extra=EXTRA)
    await helm(lab, "install", "web", first, "-n", scratch.namespace)
    async with deploying(lab, second) as desk:
        newer = await diff(desk, scratch, mode="upgrade", chart="site/small")
        assert "chart small-1.0.0 to small-2.0.0; 1 added, 0 changed, 0 removed" in newer.text
        # without a chart the release keeps its own
        values = await diff(desk, scratch, mode="upgrade", values="color: red\ncolour: green")
        assert "chart small-1.0.0; 0 added, 1 changed, 0 removed" in values.text
        assert "the chart knows no color; near: colour" in values.text
    assert [one["revision"] for one in await helm_json(lab, "history", "web", "-n", scratch.namespace)] == [1]


async def test_drift_is_what_somebody_changed_or_took_away(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    await helm(lab, "install", "web", chart(tmp_path, values=VALUES, shown=SHOWN, extra=EXTRA), "-n", scratch.namespace)
    async with deploying(lab) as desk:
        fine = await diff(desk, scratch, mode="live")
        assert "0 of 2 objects changed, 0 missing" in fine.text
        assert "as the manifest says" in fine.text
        path = scratch.path("v1", "configmaps", "web-settings")
        changed = {"data": {"colour": "green", "more": "kept"}}
        scratch.api.request("PATCH", path, changed, content="application/merge-patch+json")
        scratch.api.request("DELETE", scratch.path("v1", "configmaps", "extra"))
        drifted = await diff(desk, scratch, mode="live")
    assert "1 of 2 objects changed, 1 missing" in drifted.text
    assert "-  colour: green\n+  colour: blue" in drifted.text
    assert [f"ConfigMap {scratch.namespace}/extra", "missing"] in drifted.rows
    assert scratch.read("v1", "configmaps", "web-settings")["data"]["colour"] == "green"
    assert not scratch.there("v1", "configmaps", "extra")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"mode": "live", "chart": "x/y"}, "chart"),
        ({"mode": "upgrade", "revision": 1}, "revision"),
        ({"values": "a: 1"}, "values"),
        ({"mode": "live", "to_revision": 1}, "to_revision"),
    ],
)
async def test_arguments_of_another_mode_are_refused(cluster: Desk, arguments: dict[str, object], field: str) -> None:
    error = await error_of(cluster.ask("diff", name="x", namespace="y", **arguments))
    assert error.text.startswith(f"{field}: does not go with mode=")


async def test_many_differences_end_as_lines(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    many = """
{{ range until 60 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "part-{{ . }}"}
data: {colour: {{ $.Values.colour | quote }}, text: {{ repeat 500 "x" | quote }}}
{{ end }}
"""
    folder = chart(tmp_path, values=VALUES, many=many)
    await helm(lab, "install", "web", folder, "-n", scratch.namespace)
    await helm(lab, "upgrade", "web", folder, "-n", scratch.namespace, "--set", "colour=red")
    async with deploying(lab) as desk:
        answer = await diff(desk, scratch)
    assert len(answer.text.encode()) <= 24_000
    assert "0 added, 60 changed, 0 removed" in answer.text
    named = {row[0] for row in answer.rows}
    assert all(f"part-{number}" in answer.text for number in range(60))
    assert named
