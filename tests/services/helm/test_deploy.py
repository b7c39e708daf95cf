"""helm_deploy with the lab's Helm, read back with the API and the program."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.helm.charts import SETTINGS, chart, failing_hook
from tests.services.helm.program import helm, helm_json
from tests.services.helm.sites import deploying
from tests.services.helm.test_list import BODY, packed, store
from tests.services.helm.test_rollback import EXTRA, PRIVILEGED
from tests.services.helm.test_uninstall import SLOW_HOOK
from tests.services.kubernetes.clusters import clusters, error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch

VALUES = "colour: blue\nservice: {port: 80, kind: ClusterIP}\nannotations: {}\n"
SHOWN = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {colour: {{ .Values.colour | quote }}, port: {{ .Values.service.port | quote }}}
"""
WRONG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: wrong}
data: {number: 5, more: [1]}
"""
UNREADY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: stuck}
spec:
  selector: {matchLabels: {app: stuck}}
  template:
    metadata: {labels: {app: stuck}}
    spec:
      nodeSelector: {nowhere: at-all}
      containers: [{name: main, image: registry.example.com/web:1.0}]
"""
DEPENDENT = {"name": "other", "version": "1.0.0", "repository": "https://charts.example.com"}


async def deploy(desk: Desk, scratch: Scratch, name: str = "web", **arguments: object) -> Answer:
    """Deploy the chart ``site/small``, unless another one is named."""
    usual: dict[str, object] = {"name": name, "namespace": scratch.namespace, "chart": "site/small"}
    return await desk.ask("deploy", **(usual | arguments))


def settings(scratch: Scratch) -> dict[str, str]:
    """What the ConfigMap of the release holds."""
    return scratch.read("v1", "configmaps", "web-settings")["data"]


async def held(lab: LabEnv, scratch: Scratch, name: str = "web") -> list[tuple[int, str]]:
    """The revisions and their states as the program tells them."""
    found: list[dict[str, Any]] = await helm_json(lab, "history", name, "-n", scratch.namespace)
    return [(one["revision"], one["status"]) for one in found]


async def test_a_missing_release_is_installed_only_when_that_is_asked_for(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    async with deploying(lab, chart(tmp_path, values=VALUES, shown=SHOWN)) as desk:
        error = await error_of(deploy(desk, scratch))
        assert (error.code, "if_missing=install" in error.text) == ("release_missing", True)
        assert not scratch.there("v1", "configmaps", "web-settings")
        answer = await deploy(desk, scratch, if_missing="install", values="colour: red")
    assert "installed release web" in answer.text
    assert "revision 1 (deployed): chart small-1.0.0; 1 added, 0 changed, 0 removed" in answer.text
    assert settings(scratch) == {"colour": "red", "port": "80"}
    assert await held(lab, scratch) == [(1, "deployed")]
    assert scratch.api.items(f"/apis/coordination.k8s.io/v1/namespaces/{scratch.namespace}/leases") == []


@pytest.mark.parametrize(
    ("mode", "given"),
    [
        ("reset_then_reuse", {"colour": "red", "service": {"port": 90}}),
        ("reuse", {"colour": "red", "service": {"port": 90}}),
        ("reset", {"service": {"port": 90}}),
    ],
)
async def test_values_combine_as_the_mode_says(
    lab: LabEnv, scratch: Scratch, tmp_path: Path, mode: str, given: dict[str, object]
) -> None:
    first = chart(tmp_path, version="1.0.0", values=VALUES, shown=SHOWN)
    second = chart(tmp_path, version="2.0.0", values=VALUES, shown=SHOWN, extra=EXTRA)
    async with deploying(lab, first, second) as desk:
        await deploy(desk, scratch, version="1.0.0", if_missing="install", values="colour: red")
        answer = await deploy(desk, scratch, values_mode=mode, values="service: {port: 90}")
    assert "upgraded release web" in answer.text
    assert "chart small-1.0.0 to small-2.0.0; 1 added, 1 changed, 0 removed" in answer.text
    assert "+  port: 90" in answer.text
    assert "undo: helm_rollback to revision 1" in answer.text
    assert await helm_json(lab, "get", "values", "web", "-n", scratch.namespace) == given
    assert settings(scratch)["port"] == "90"


async def test_the_chart_of_the_release_can_be_kept(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    folder = chart(tmp_path, version="1.2.3", values=VALUES, shown=SHOWN)
    (folder / "values.schema.json").write_text(
        '{"properties": {"colour": {"enum": ["red", "blue"]}}}', encoding="utf-8"
    )
    await helm(lab, "install", "web", folder, "-n", scratch.namespace)
    async with deploying(lab) as desk:
        answer = await deploy(desk, scratch, chart="current", values='{"colour": "red"}')
        assert "chart small-1.2.3; 0 added, 1 changed, 0 removed" in answer.text
        assert settings(scratch)["colour"] == "red"
        error = await error_of(deploy(desk, scratch, chart="current", values="colour: green"))
        assert (error.code, "/colour" in error.text) == ("values_invalid", True)
        error = await error_of(deploy(desk, scratch, "none", chart="current", if_missing="install"))
        assert error.code == "release_missing"
        error = await error_of(deploy(desk, scratch, chart="current", version="1.0.0"))
        assert error.text.startswith("version: ")
        again = await deploy(desk, scratch, chart="current")
    assert "unchanged but for a new revision: release web" in again.text
    stored = await helm_json(lab, "get", "metadata", "web", "-n", scratch.namespace)
    assert (stored["chart"], stored["version"], stored["revision"]) == ("small", "1.2.3", 3)


async def test_the_charts_that_a_kept_chart_depends_on_are_not_there(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    folder = chart(tmp_path, values=VALUES, shown=SHOWN)
    inner = chart(tmp_path, "other")
    inner.rename(folder / "charts" if (folder / "charts").mkdir() else folder / "charts" / "other")
    described = json.loads((folder / "Chart.yaml").read_text(encoding="utf-8"))
    (folder / "Chart.yaml").write_text(json.dumps({**described, "dependencies": [DEPENDENT]}), encoding="utf-8")
    await helm(lab, "install", "web", folder, "-n", scratch.namespace)
    async with deploying(lab) as desk:
        error = await error_of(deploy(desk, scratch, chart="current"))
    assert (error.code, "(other)" in error.text) == ("missing_dependency", True)


async def test_a_dry_run_shows_values_and_objects_and_changes_nothing(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    first = chart(tmp_path, version="1.0.0", values=VALUES, shown=SHOWN)
    second = chart(tmp_path, version="2.0.0", values=VALUES, shown=SHOWN, extra=EXTRA)
    async with deploying(lab, first, second) as desk:
        planned = await deploy(desk, scratch, if_missing="install", dry_run=True)
        assert planned.text.startswith(f"would install release web in namespace {scratch.namespace}")
        assert not scratch.there("v1", "configmaps", "web-settings")
        await deploy(desk, scratch, version="1.0.0", if_missing="install")
        planned = await deploy(desk, scratch, dry_run=True, values="colour: red\npassword: hunter22")
    assert "chart small-1.0.0 to small-2.0.0; 1 added, 1 changed, 0 removed" in planned.text
    assert "-  colour: blue\n+  colour: red" in planned.text
    assert "ConfigMap extra: added" in planned.text
    assert "hunter22" not in planned.text
    assert "+password: " in planned.text
    assert settings(scratch)["colour"] == "blue"
    assert await held(lab, scratch) == [(1, "deployed")]


async def test_a_dry_run_tells_what_the_cluster_would_refuse(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    scratch.make("ConfigMap", "extra", data={})
    folder = chart(tmp_path, values=VALUES, wrong=WRONG, extra=EXTRA)
    async with deploying(lab, folder) as desk:
        planned = await deploy(desk, scratch, if_missing="install", dry_run=True)
        refused = {row[0]: row[1] for row in planned.rows}
        assert "belongs to no release" in refused[f"ConfigMap {scratch.namespace}/extra"]
        assert f"ConfigMap {scratch.namespace}/wrong" in refused
        error = await error_of(deploy(desk, scratch, if_missing="install"))
        assert error.code == "ownership_conflict"


async def test_no_preview_shows_what_a_chart_looks_up(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    scratch.make("Secret", "theirs", stringData={"word": "sesame-7731"})
    copy = """
apiVersion: v1
kind: ConfigMap
metadata: {name: copy}
data: {word: {{ (lookup "v1" "Secret" .Release.Namespace "theirs") | toJson | quote }}}
"""
    async with deploying(lab, chart(tmp_path, copy=copy)) as desk:
        planned = await deploy(desk, scratch, if_missing="install", dry_run=True)
        shown = await desk.ask("template", chart="site/small", namespace=scratch.namespace)
    for answer in (planned, shown):
        assert "word" in answer.text
        assert "c2VzYW1lLTc3MzE" not in answer.text


async def test_a_namespace_is_made_only_when_that_is_asked_for(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    namespace = f"{scratch.namespace}-new"
    async with deploying(lab, chart(tmp_path, values=VALUES, shown=SHOWN)) as desk:
        error = await error_of(deploy(desk, scratch, namespace=namespace, if_missing="install"))
        assert error.code == "not_found"
        planned = await deploy(desk, scratch, namespace=namespace, if_missing="install_create_namespace", dry_run=True)
        assert "would install" in planned.text
        answer = await deploy(desk, scratch, namespace=namespace, if_missing="install_create_namespace")
    try:
        assert f"installed release web in namespace {namespace}" in answer.text
        path = f"/api/v1/namespaces/{namespace}/configmaps/web-settings"
        assert scratch.api.get(path)["data"]["port"] == "80"
    finally:
        scratch.api.request("DELETE", f"/api/v1/namespaces/{namespace}")


async def test_readiness_is_waited_for_and_a_failure_is_rolled_back(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    good = chart(tmp_path, version="1.0.0", values=VALUES, shown=SHOWN)
    bad = chart(tmp_path, version="2.0.0", values=VALUES, shown=SHOWN, stuck=UNREADY)
    async with deploying(lab, good, bad) as desk:
        await deploy(desk, scratch, version="1.0.0", if_missing="install", wait_seconds=30)
        error = await error_of(deploy(desk, scratch, rollback_on_failure=True))
        assert error.text.startswith("rollback_on_failure: ")
        error = await error_of(deploy(desk, scratch, wait_seconds=2))
        assert error.code == "timeout"
        assert "the release is at revision 2 (failed)" in error.text
        error = await error_of(deploy(desk, scratch, wait_seconds=2, rollback_on_failure=True))
        assert error.code == "rolled_back"
    assert await held(lab, scratch) == [(1, "superseded"), (2, "failed"), (3, "failed"), (4, "deployed")]
    assert not scratch.there("apps/v1", "deployments", "stuck")


async def test_a_failed_hook_is_told_with_what_it_logged(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    folder = chart(tmp_path, values=VALUES, shown=SHOWN, hook=failing_hook("before", "pre-install"))
    async with deploying(lab, folder) as desk:
        planned = await deploy(desk, scratch, if_missing="install", dry_run=True)
        assert "hooks that would run: Job before (pre-install)" in planned.text
        error = await error_of(deploy(desk, scratch, if_missing="install"))
    assert error.code == "hook_failed"
    assert "the release is at revision 1 (failed)" in error.text
    assert "it logged last: " in error.text


async def test_a_deployment_that_goes_on_is_not_said_to_be_done(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    folder = chart(tmp_path, values=VALUES, hook=SLOW_HOOK.replace("pre-delete", "pre-install"))
    async with deploying(lab, folder) as desk:
        answer = await deploy(replace(desk, within=9.0), scratch, if_missing="install")
        assert "is still running" in answer.text
        error = await error_of(deploy(desk, scratch, if_missing="install"))
        assert error.code == "release_locked"


async def test_a_release_that_another_one_changes_is_locked(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    store(scratch, "web", packed(BODY), status="pending-upgrade")
    async with deploying(lab, chart(tmp_path)) as desk:
        error = await error_of(deploy(desk, scratch))
    assert (error.code, "pending-upgrade" in error.text) == ("release_locked", True)


BROKEN = {
    "render_failed": ("a: {{ .Values.colour.deep.er }}\n", "small/templates/shown.yaml:1"),
    "render_failed ": ('{{ fail "no colour" }}', "no colour"),
    "render_failed  ": ("apiVersion: v1\nkind: [", "shown.yaml"),
    "render_failed   ": ("apiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: x}\n", "Unknown"),
}


@pytest.mark.parametrize(("code", "template", "words"), [(code.strip(), *rest) for code, rest in BROKEN.items()])
async def test_a_broken_template_is_named(
    lab: LabEnv, scratch: Scratch, tmp_path: Path, code: str, template: str, words: str
) -> None:
    async with deploying(lab, chart(tmp_path, values=VALUES, shown=template)) as desk:
        error = await error_of(deploy(desk, scratch, if_missing="install"))
    assert (error.code, words in error.text) == (code, True), error.text
    assert await helm_json(lab, "list", "-n", scratch.namespace) == []


async def test_missing_dependencies_are_named(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    folder = chart(tmp_path)
    described = json.loads((folder / "Chart.yaml").read_text(encoding="utf-8"))
    (folder / "Chart.yaml").write_text(json.dumps({**described, "dependencies": [DEPENDENT]}), encoding="utf-8")
    async with deploying(lab, folder) as desk:
        error = await error_of(deploy(desk, scratch, if_missing="install"))
    assert (error.code, "other" in error.text) == ("missing_dependency", True)


async def test_fields_of_others_are_a_conflict(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    async with deploying(lab, chart(tmp_path, values=VALUES, shown=SHOWN)) as desk:
        await deploy(desk, scratch, if_missing="install")
        taken = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "web-settings"},
            "data": {"colour": "green"},
        }
        path = scratch.path("v1", "configmaps", "web-settings")
        scratch.api.request(
            "PATCH", f"{path}?fieldManager=somebody&force=true", taken, content="application/apply-patch+yaml"
        )
        planned = await deploy(desk, scratch, values="colour: red", dry_run=True)
        assert "somebody" in planned.rows[0][1]
        error = await error_of(deploy(desk, scratch, values="colour: red"))
    assert (error.code, "somebody" in error.text) == ("field_conflict", True)
    assert settings(scratch)["colour"] == "green"


HOOK = PRIVILEGED.replace("name: strong}", "name: strong, annotations: {helm.sh/hook: pre-install}}", 1)


@pytest.mark.parametrize("template", [PRIVILEGED, HOOK], ids=["object", "hook"])
async def test_objects_that_the_policy_refuses_are_not_deployed(
    lab: LabEnv, scratch: Scratch, tmp_path: Path, template: str
) -> None:
    folder = chart(tmp_path, strong=template)
    async with deploying(lab, folder) as desk:
        for dry_run in (True, False):
            error = await error_of(deploy(desk, scratch, if_missing="install", dry_run=dry_run))
            assert (error.code, "privileged" in error.text) == ("denied_by_policy", True)
    assert await helm_json(lab, "list", "-n", scratch.namespace) == []
    async with deploying(lab, folder, policy={"allow": ["privileged"]}) as desk:
        assert "installed" in (await deploy(desk, scratch, if_missing="install")).text


async def test_namespaces_of_kubernetes_itself_are_refused(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    async with deploying(lab, chart(tmp_path)) as desk:
        error = await error_of(deploy(desk, scratch, namespace="kube-system", if_missing="install"))
    assert error.code == "denied_by_policy"


async def test_values_that_the_chart_does_not_know_are_told(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    values = "color: red\nservice: {prot: 1, port: 2}\nannotations: {any: thing}\nglobal: {x: 1}"
    async with deploying(lab, chart(tmp_path, values=VALUES, shown=SHOWN)) as desk:
        answer = await deploy(desk, scratch, if_missing="install", values=values, dry_run=True)
    told = [line for line in answer.text.splitlines() if line.startswith("values: ")]
    assert told == [
        "values: the chart knows no color; near: colour",
        "values: the chart knows no service.prot; near: port",
    ]


async def test_a_kept_record_is_replaced_only_when_that_is_asked_for(
    lab: LabEnv, scratch: Scratch, tmp_path: Path
) -> None:
    folder = chart(tmp_path, values=VALUES, shown=SHOWN)
    await helm(lab, "install", "web", folder, "-n", scratch.namespace)
    await helm(lab, "uninstall", "web", "--keep-history", "-n", scratch.namespace)
    async with deploying(lab, folder) as desk:
        error = await error_of(deploy(desk, scratch))
        assert (error.code, "helm_rollback revives it" in error.text) == ("release_missing", True)
        assert "installed" in (await deploy(desk, scratch, if_missing="install")).text
    assert (await held(lab, scratch))[-1] == (2, "deployed")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ("a: [1", "invalid_argument"),
        ("- a", "values_invalid"),
        ("just words", "values_invalid"),
        ("a: 1\na: 2", "invalid_argument"),
        ("a: !!python/object:os.system x", "invalid_argument"),
        ("a: " + "x" * 300_000, "invalid_argument"),
    ],
)
async def test_values_that_are_none_are_refused_before_anything_is_asked(
    lab: LabEnv, dead: Path, values: str, code: str
) -> None:
    async with deploying(lab, kubeconfig=dead) as desk:
        error = await error_of(desk.ask("deploy", name="web", namespace="here", chart="current", values=values))
    assert (error.code, error.text.startswith("values: ")) == (code, True)


async def test_without_the_program_nothing_is_deployed(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    await helm(lab, "install", "web", chart(tmp_path, settings=SETTINGS), "-n", scratch.namespace)
    settings = {"engine": {"binary": str(tmp_path / "helm")}}
    async with clusters(service="helm", settings=settings, lab=lab.kubeconfig_admin) as desk:
        error = await error_of(deploy(desk, scratch, chart="current"))
    assert error.code == "engine_missing"
