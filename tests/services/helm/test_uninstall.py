"""helm_uninstall with the lab's Helm, read back with the API and the program."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab.probes import wait_until
from tests.services.helm.charts import SETTINGS, chart, failing_hook
from tests.services.helm.program import helm, helm_json
from tests.services.helm.test_list import BODY, packed, store
from tests.services.kubernetes.clusters import error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch

KEPT = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}
"""
DATABASE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: main, image: registry.example.com/db:1.0}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Mi}}}
"""
SPACE = """
apiVersion: v1
kind: Namespace
metadata: {name: {{ .Release.Namespace }}-more}
"""


async def install(lab: LabEnv, scratch: Scratch, folder: Path, **templates: str) -> None:
    """The release ``web``."""
    small = chart(folder, settings=SETTINGS, **templates)
    await helm(lab, "install", "web", small, "-n", scratch.namespace)


async def confirmed(desk: Desk, scratch: Scratch, **arguments: object) -> Answer:
    """Uninstall in two steps."""
    asked = {"name": "web", "namespace": scratch.namespace, **arguments}
    plan = await desk.ask("uninstall", **asked)
    return await desk.ask("uninstall", **asked, confirm=plan.result.confirm)


async def test_the_plan_says_what_goes_and_what_stays_and_nothing_is_done(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await install(lab, scratch, tmp_path, kept=KEPT, database=DATABASE)
    claim = scratch.path("v1", "persistentvolumeclaims", "data-db-0")
    wait_until("the claim", lambda: scratch.api.find(claim) is not None, within=30)
    plan = await operator.ask("uninstall", name="web", namespace=scratch.namespace)
    where = scratch.namespace
    assert plan.result.confirm
    assert plan.text.startswith("would uninstall release web (revision 1, deployed)")
    assert [f"ConfigMap {where}/web-settings", "is deleted"] in plan.rows
    assert [f"ConfigMap {where}/kept", "stays: its policy is keep"] in plan.rows
    assert [f"PersistentVolumeClaim {where}/data-db-0", f"made by StatefulSet {where}/db, holds its data"] in plan.rows
    assert "no rollback afterwards" in plan.text
    assert scratch.there("v1", "configmaps", "web-settings")


async def test_with_the_code_the_release_goes(lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path) -> None:
    await install(lab, scratch, tmp_path, kept=KEPT)
    answer = await confirmed(operator, scratch, wait_seconds=30)
    assert [f"ConfigMap {scratch.namespace}/web-settings", "gone"] in answer.rows
    assert [f"ConfigMap {scratch.namespace}/kept", "kept"] in answer.rows
    assert not scratch.there("v1", "configmaps", "web-settings")
    assert scratch.there("v1", "configmaps", "kept")
    assert await helm_json(lab, "list", "-n", scratch.namespace) == []


async def test_a_kept_history_is_a_way_back(lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path) -> None:
    await install(lab, scratch, tmp_path)
    answer = await confirmed(operator, scratch, keep_history=True)
    assert "undo: helm_rollback to revision 1" in answer.text
    assert not scratch.there("v1", "configmaps", "web-settings")
    (held,) = await helm_json(lab, "history", "web", "-n", scratch.namespace)
    assert held["status"] == "uninstalled"
    await operator.ask("rollback", name="web", namespace=scratch.namespace, revision=1)
    assert scratch.there("v1", "configmaps", "web-settings")


async def test_a_release_that_changed_after_the_plan_stays(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await install(lab, scratch, tmp_path)
    asked: dict[str, object] = {"name": "web", "namespace": scratch.namespace}
    plan = await operator.ask("uninstall", **asked)
    await helm(lab, "upgrade", "web", tmp_path / "small-1.0.0", "-n", scratch.namespace)
    error = await error_of(operator.ask("uninstall", **asked, confirm=plan.result.confirm))
    assert error.code == "plan_changed"
    other = await error_of(operator.ask("uninstall", **asked, no_hooks=True, confirm=plan.result.confirm))
    assert other.code == "plan_changed"
    assert scratch.there("v1", "configmaps", "web-settings")


async def test_a_failed_hook_leaves_the_objects(lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path) -> None:
    await install(lab, scratch, tmp_path, hook=failing_hook("bye", "pre-delete"))
    error = await error_of(confirmed(operator, scratch))
    assert error.code == "hook_failed"
    assert "the release is at revision 1" in error.text
    assert scratch.there("v1", "configmaps", "web-settings")
    await confirmed(operator, scratch, no_hooks=True)
    assert not scratch.there("v1", "configmaps", "web-settings")


SLOW_HOOK = """
apiVersion: batch/v1
kind: Job
metadata: {name: bye, annotations: {helm.sh/hook: pre-delete}}
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {nowhere: at-all}
      containers: [{name: main, image: registry.example.com/web:1.0}]
"""


async def test_an_uninstallation_that_goes_on_is_not_said_to_be_done(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await install(lab, scratch, tmp_path, hook=SLOW_HOOK)
    answer = await confirmed(replace(operator, within=8.0), scratch)
    assert "is still running" in answer.text
    assert scratch.there("v1", "configmaps", "web-settings")


async def test_an_operation_under_way_is_waited_for(operator: Desk, scratch: Scratch) -> None:
    store(scratch, "web", packed(BODY), status="pending-install")
    error = await error_of(operator.ask("uninstall", name="web", namespace=scratch.namespace))
    assert error.code == "release_locked"


async def test_what_takes_more_along_than_its_name_says_needs_a_permit(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await install(lab, scratch, tmp_path, space=SPACE)
    try:
        error = await error_of(operator.ask("uninstall", name="web", namespace=scratch.namespace))
        assert (error.code, "delete_cluster_objects" in error.text) == ("denied_by_policy", True)
    finally:
        scratch.api.delete(f"/api/v1/namespaces/{scratch.namespace}-more")


@pytest.mark.parametrize("code", ["", "wrong-code"])
async def test_a_release_that_is_not_there_is_named(operator: Desk, scratch: Scratch, code: str) -> None:
    arguments = {"confirm": code} if code else {}
    error = await error_of(operator.ask("uninstall", name="web", namespace=scratch.namespace, **arguments))
    assert error.code == "not_found"
