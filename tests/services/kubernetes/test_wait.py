"""kubernetes_wait on the lab's cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import ToolError
from tests.promises import promise
from tests.services.kubernetes.kubectl import kubectl
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch


async def test_a_workload_that_becomes_ready_ends_the_wait(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web", replicas=2))
    answer = await cluster.ask("wait", kind="deploy", name="web", namespace=scratch.namespace, until="ready")
    assert "ready met after" in answer.text
    assert scratch.read("apps/v1", "deployments", "web")["status"]["readyReplicas"] == 2


async def test_the_wait_agrees_with_kubectl_wait(lab: LabEnv, cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    condition = "condition=Available"
    await cluster.ask("wait", kind="deploy", name="web", namespace=scratch.namespace, until=condition)
    printed = await kubectl(lab, "wait", "deploy/web", f"--for={condition}", "-n", scratch.namespace, "--timeout=1s")
    assert "condition met" in printed


async def test_an_object_made_during_the_wait_ends_it(cluster: Desk, scratch: Scratch) -> None:
    waiting = asyncio.create_task(
        cluster.ask("wait", kind="configmap", name="late", namespace=scratch.namespace, until="exists")
    )
    await asyncio.sleep(0)
    scratch.make("ConfigMap", "late", data={"a": "1"})
    assert "exists met" in (await waiting).text


async def test_deletion_is_waited_for_and_a_finalizer_named(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "held", metadata={"finalizers": ["example.com/keep"]})
    path = scratch.path("v1", "configmaps", "held")
    scratch.api.delete(path)
    arguments = {"kind": "configmap", "name": "held", "namespace": scratch.namespace, "until": "deleted"}
    answer = await cluster.ask("wait", **arguments, timeout_seconds=1)
    assert "not met" in answer.text
    assert "waiting on finalizer example.com/keep" in answer.text
    waiting = asyncio.create_task(cluster.ask("wait", **arguments))
    await asyncio.sleep(0)
    scratch.api.merge(path, {"metadata": {"finalizers": None}})
    assert "deleted met" in (await waiting).text
    assert not scratch.there("v1", "configmaps", "held")


async def test_a_field_that_gets_its_value_ends_the_wait(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "settings", data={"mode": "off"})
    waiting = asyncio.create_task(
        cluster.ask("wait", kind="cm", name="settings", namespace=scratch.namespace, until=".data.mode=on")
    )
    await asyncio.sleep(0)
    scratch.api.merge(scratch.path("v1", "configmaps", "settings"), {"data": {"mode": "on"}})
    assert "met after" in (await waiting).text


async def test_a_failed_job_is_impossible_at_once(cluster: Desk, scratch: Scratch) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/x"}]}}
    scratch.make("Job", "doomed", group_version="batch/v1", spec={"template": template, "suspend": True})
    now = "2026-01-01T00:00:00Z"
    target = {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": now}
    failed = {**target, "type": "Failed", "message": "gave up"}
    status = {"conditions": [target, failed], "startTime": now}
    scratch.api.request(
        "PATCH",
        f"{scratch.path('batch/v1', 'jobs', 'doomed')}/status",
        {"status": status},
        content="application/merge-patch+json",
    )
    answer = await cluster.ask("wait", kind="job", name="doomed", namespace=scratch.namespace, until="complete")
    assert "impossible: failed: BackoffLimitExceeded" in answer.text


async def test_an_object_that_vanishes_is_impossible(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "short", data={"mode": "off"})
    waiting = asyncio.create_task(
        cluster.ask("wait", kind="cm", name="short", namespace=scratch.namespace, until=".data.mode=on")
    )
    while not waiting.done():
        await asyncio.sleep(0.1)
        await asyncio.to_thread(scratch.api.delete, scratch.path("v1", "configmaps", "short"))
    assert "not met" in waiting.result().text or "impossible: the object is gone" in waiting.result().text


async def test_what_is_not_reached_names_the_pods_that_hold_it_up(cluster: Desk, scratch: Scratch) -> None:
    spec = deployment("web")
    spec["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "none-has-this"}
    scratch.make("Deployment", "web", **spec)
    answer = await cluster.ask(
        "wait", kind="deploy", name="web", namespace=scratch.namespace, until="rollout", timeout_seconds=3
    )
    assert "not met within 3 s" in answer.text
    assert "Pending" in answer.text


async def test_objects_are_chosen_by_label(cluster: Desk, scratch: Scratch) -> None:
    for name in ("one", "two"):
        scratch.make("ConfigMap", name, metadata={"labels": {"set": "pair"}})
    answer = await cluster.ask(
        "wait", kind="cm", label_selector="set=pair", namespace=scratch.namespace, until="exists"
    )
    assert [row[0] for row in answer.rows] == ["one", "two"]


@pytest.mark.parametrize(
    ("until", "why"),
    [
        ("redy", "did you mean ready"),
        ("condition=", "needs a type"),
        ("rollout", "has no rollouts"),
        (".data[=x", "until"),
    ],
)
async def test_a_state_that_is_none_is_refused(cluster: Desk, scratch: Scratch, until: str, why: str) -> None:
    scratch.make("ConfigMap", "one")
    with pytest.raises(ToolError, match=why):
        await cluster.ask("wait", kind="cm", name="one", namespace=scratch.namespace, until=until)


async def test_name_or_selector_is_needed_and_not_both(cluster: Desk) -> None:
    with pytest.raises(ToolError, match="give name or label_selector"):
        await cluster.ask("wait", kind="cm", until="exists")
    with pytest.raises(ToolError, match="not both"):
        await cluster.ask("wait", kind="cm", name="a", label_selector="a=b", until="exists")


async def test_more_objects_than_can_be_followed_are_refused(cluster: Desk, scratch: Scratch) -> None:
    for number in range(51):
        scratch.make("ConfigMap", f"one-{number}", metadata={"labels": {"set": "many"}})
    with pytest.raises(ToolError, match="more than 50"):
        await cluster.ask("wait", kind="cm", label_selector="set=many", namespace=scratch.namespace, until="exists")


@promise("F8", service="kubernetes")
async def test_a_user_who_may_not_watch_is_told(nobody: Desk) -> None:
    with pytest.raises(ToolError) as refused:
        await nobody.ask("wait", kind="cm", name="a", namespace="shop", until="exists")
    assert refused.value.code == "forbidden"
