"""helm_rollback with the lab's Helm, read back with the API and the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.services.helm.charts import SETTINGS, chart, failing_hook
from tests.services.helm.program import engine, helm, helm_json
from tests.services.helm.test_list import BODY, packed, store
from tests.services.kubernetes.clusters import clusters, error_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch

LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
EXTRA = """
apiVersion: v1
kind: ConfigMap
metadata: {name: extra}
"""
PRIVILEGED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: strong}
spec:
  replicas: 0
  selector: {matchLabels: {app: strong}}
  template:
    metadata: {labels: {app: strong}}
    spec:
      containers: [{name: main, image: registry.example.com/web:1.0, securityContext: {privileged: true}}]
"""


async def two_revisions(lab: LabEnv, scratch: Scratch, folder: Path, **templates: str) -> None:
    """The release ``web`` in two revisions: blue, then red with one object more."""
    first = chart(folder, version="1.0.0", settings=SETTINGS, **templates)
    second = chart(folder, version="2.0.0", settings=SETTINGS, extra=EXTRA)
    await helm(lab, "install", "web", first, "-n", scratch.namespace)
    await helm(lab, "upgrade", "web", second, "-n", scratch.namespace, "--set", "colour=red")


async def back(desk: Desk, scratch: Scratch, **arguments: object) -> Answer:
    """Roll the release back."""
    return await desk.ask("rollback", name="web", namespace=scratch.namespace, **arguments)


def colour(scratch: Scratch) -> str:
    """What the ConfigMap of the release holds."""
    return str(scratch.read("v1", "configmaps", "web-settings")["data"]["colour"])


async def revisions(lab: LabEnv, scratch: Scratch) -> list[tuple[int, str, str]]:
    """The history as the program tells it."""
    held: list[dict[str, Any]] = await helm_json(lab, "history", "web", "-n", scratch.namespace)
    return [(one["revision"], one["status"], one["description"]) for one in held]


async def test_a_release_goes_back_to_the_revision_before(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await two_revisions(lab, scratch, tmp_path)
    answer = await back(operator, scratch)
    assert "from revision 2 to 1" in answer.text
    assert "now revision 3 (deployed): 0 added, 1 changed, 1 removed" in answer.text
    assert ["ConfigMap web-settings", "changed"] in answer.rows
    assert ["ConfigMap extra", "removed"] in answer.rows
    assert "undo: helm_rollback to revision 2" in answer.text
    assert colour(scratch) == "blue"
    assert not scratch.there("v1", "configmaps", "extra")
    assert (await revisions(lab, scratch))[-1] == (3, "deployed", "Rollback to 1")
    assert scratch.api.items(LEASES.format(scratch.namespace)) == []


async def test_a_dry_run_shows_the_difference_and_changes_nothing(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await two_revisions(lab, scratch, tmp_path)
    answer = await back(operator, scratch, dry_run=True)
    assert answer.text.startswith("would roll release web back to revision 1")
    assert "-  colour: red\n+  colour: blue" in answer.text
    assert "ConfigMap extra: removed" in answer.text
    assert colour(scratch) == "red"
    assert len(await revisions(lab, scratch)) == 2


async def test_a_revision_is_chosen_and_one_that_is_not_held_is_refused(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await two_revisions(lab, scratch, tmp_path)
    error = await error_of(back(operator, scratch, revision=7))
    assert (error.code, "held: 1, 2" in error.text) == ("revision_not_found", True)
    await back(operator, scratch, revision=1)
    await back(operator, scratch, revision=2, wait_seconds=30)
    assert colour(scratch) == "red"


async def test_a_release_of_one_revision_has_nowhere_to_go_back_to(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await helm(lab, "install", "web", chart(tmp_path), "-n", scratch.namespace)
    error = await error_of(back(operator, scratch))
    assert (error.code, "held: 1" in error.text) == ("revision_not_found", True)


async def test_a_failed_hook_is_told_with_the_state_that_is_left(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await two_revisions(lab, scratch, tmp_path, hook=failing_hook("{{ .Release.Name }}-back", "pre-rollback"))
    error = await error_of(back(operator, scratch))
    assert error.code == "hook_failed"
    assert "the release is at revision 3 (pending-rollback)" in error.text
    assert "it logged last: " in error.text
    assert colour(scratch) == "red"
    skipped = await back(operator, scratch, revision=1, no_hooks=True)
    assert "now revision 4 (deployed)" in skipped.text


async def test_fields_of_others_are_a_conflict(lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path) -> None:
    await two_revisions(lab, scratch, tmp_path)
    path = scratch.path("v1", "configmaps", "web-settings")
    taken = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-settings"}, "data": {"colour": "green"}}
    scratch.api.request(
        "PATCH", f"{path}?fieldManager=somebody&force=true", taken, content="application/apply-patch+yaml"
    )
    error = await error_of(back(operator, scratch))
    assert error.code == "field_conflict"
    assert "somebody" in error.text
    assert colour(scratch) == "green"


async def test_an_operation_under_way_is_waited_for_and_a_broken_one_is_cleared(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await two_revisions(lab, scratch, tmp_path)
    store(scratch, "web", packed(BODY), revision=3, status="pending-upgrade")
    error = await error_of(back(operator, scratch))
    assert (error.code, "revision 3 is pending-upgrade since" in error.text) == ("release_locked", True)
    assert colour(scratch) == "red"


async def test_a_lock_of_another_node_is_respected_until_it_ends(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await two_revisions(lab, scratch, tmp_path)
    spec = {"holderIdentity": "other", "leaseDurationSeconds": 600, "acquireTime": "2999-01-01T00:00:00.000000Z"}
    name = "cloud-native-mcp-helm.web"
    scratch.make("Lease", name, group_version="coordination.k8s.io/v1", spec=spec)
    error = await error_of(back(operator, scratch))
    assert (error.code, "another node" in error.text) == ("release_locked", True)
    assert len(await revisions(lab, scratch)) == 2
    ended = {"spec": {**spec, "acquireTime": "2020-01-01T00:00:00.000000Z"}}
    scratch.api.merge(f"{LEASES.format(scratch.namespace)}/{name}", ended)
    await back(operator, scratch)
    assert colour(scratch) == "blue"


async def test_what_the_policy_refuses_does_not_come_back(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await two_revisions(lab, scratch, tmp_path, strong=PRIVILEGED)
    for dry_run in (True, False):
        error = await error_of(back(operator, scratch, dry_run=dry_run))
        assert (error.code, "privileged" in error.text) == ("denied_by_policy", True)
    assert not scratch.there("apps/v1", "deployments", "strong")
    settings, policy = engine(lab), {"allow": ["privileged"]}
    async with clusters(service="helm", settings=settings, policy=policy, lab=lab.kubeconfig_admin) as permitted:
        await back(permitted, scratch)
    assert scratch.there("apps/v1", "deployments", "strong")


async def test_without_the_program_nothing_is_done(
    lab: LabEnv, scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_revisions(lab, scratch, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    for settings, words in (
        ({}, "no helm program on this server"),
        ({"engine": {"binary": str(tmp_path / "nothing")}}, "cannot be started"),
        ({"engine": {"binary": str(lab.kubectl)}}, "does not tell its version"),
    ):
        async with clusters(service="helm", settings=settings, lab=lab.kubeconfig_admin) as desk:
            error = await error_of(back(desk, scratch))
        assert (error.code, words in error.text) == ("engine_missing", True), error.text
    assert len(await revisions(lab, scratch)) == 2
    assert scratch.api.items(LEASES.format(scratch.namespace)) == []


async def test_an_old_program_is_refused(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    await two_revisions(lab, scratch, tmp_path)
    old = tmp_path / "helm"
    old.write_text("#!/bin/sh\necho v3.11.2\n", encoding="utf-8")
    old.chmod(0o700)
    settings = {"engine": {"binary": str(old)}}
    async with clusters(service="helm", settings=settings, lab=lab.kubeconfig_admin) as desk:
        error = await error_of(back(desk, scratch))
    assert (error.code, "Helm v3.11.2 is too old: 3.14 or newer" in error.text) == ("engine_missing", True)


async def test_a_user_without_rights_is_told(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    await two_revisions(lab, scratch, tmp_path)
    async with clusters(service="helm", settings=engine(lab), lab=lab.kubeconfig_viewer) as desk:
        error = await error_of(back(desk, scratch))
    assert error.code == "forbidden"


async def test_system_namespaces_are_left_alone(operator: Desk) -> None:
    error = await error_of(operator.ask("rollback", name="web", namespace="kube-system"))
    assert error.code == "denied_by_policy"
