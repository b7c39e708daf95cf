"""kubernetes_scale on the lab's cluster, read back with the API."""

from __future__ import annotations

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


def replicas(scratch: Scratch, name: str = "web") -> int:
    """The wanted replicas as the API has them."""
    return int(scratch.read("apps/v1", "deployments", name)["spec"]["replicas"])


async def test_a_workload_gets_the_replicas_asked_for(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    answer = await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=3)
    assert "replicas 1 → 3" in answer.text
    assert replicas(scratch) == 3


async def test_waiting_for_the_replicas_tells_that_they_are_ready(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    answer = await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=2, wait_seconds=60)
    assert "ready: met" in answer.text
    assert "2 of 2 pods updated and available" in answer.text
    assert scratch.read("apps/v1", "deployments", "web")["status"]["readyReplicas"] == 2


async def test_a_dry_run_changes_nothing(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    answer = await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=5, dry_run=True)
    assert answer.text.startswith("would scale")
    assert replicas(scratch) == 1


async def test_what_kubectl_scales_is_what_the_tool_sees(lab: LabEnv, cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    await kubectl(lab, "scale", "deployment/web", "--replicas=4", "-n", scratch.namespace)
    answer = await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=2)
    assert "replicas 4 → 2" in answer.text


async def test_another_present_value_than_expected_is_refused_before_any_change(
    cluster: Desk, scratch: Scratch
) -> None:
    scratch.make("Deployment", "web", **deployment("web", replicas=2))
    with pytest.raises(ToolError, match="has 2, not 1") as refused:
        await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=5, current_replicas=1)
    assert refused.value.code == "precondition_failed"
    assert replicas(scratch) == 2


async def test_the_expected_present_value_lets_the_change_through(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web", replicas=2))
    await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=0, current_replicas=2)
    assert replicas(scratch) == 0


async def test_a_kind_without_scale_is_refused(cluster: Desk, scratch: Scratch) -> None:
    with pytest.raises(ToolError) as refused:
        await cluster.ask("scale", kind="configmap", name="web", namespace=scratch.namespace, replicas=1)
    assert refused.value.code == "no_scale"


async def test_an_autoscaler_that_will_override_it_is_named(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 4}
    scratch.make("HorizontalPodAutoscaler", "web-scaler", group_version="autoscaling/v2", spec=spec)
    answer = await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=7)
    assert "web-scaler holds it at 2 to 4 replicas" in answer.text


async def test_a_budget_that_asks_for_more_pods_is_named(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web", replicas=3))
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    scratch.make("PodDisruptionBudget", "web-budget", group_version="policy/v1", spec=spec)
    answer = await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=1)
    assert "disruption budget web-budget asks for 2" in answer.text


async def test_a_missing_workload_is_told_from_a_missing_namespace(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    with pytest.raises(ToolError, match="near: web"):
        await cluster.ask("scale", name="wep", namespace=scratch.namespace, replicas=1)
    with pytest.raises(ToolError, match="namespace t-absent does not exist"):
        await cluster.ask("scale", name="web", namespace="t-absent", replicas=1)


@promise("F8", service="kubernetes")
async def test_a_user_without_the_right_is_refused_with_verb_and_resource(viewer: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    with pytest.raises(ToolError, match="cannot patch resource") as refused:
        await viewer.ask("scale", name="web", namespace=scratch.namespace, replicas=2)
    assert refused.value.code == "forbidden"
    assert replicas(scratch) == 1


async def test_pods_that_a_quota_keeps_away_are_seen_after_the_wait(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ResourceQuota", "small", spec={"hard": {"pods": "1"}})
    scratch.make("Deployment", "web", **deployment("web"))
    answer = await cluster.ask("scale", name="web", namespace=scratch.namespace, replicas=3, wait_seconds=3)
    assert "ready: not met" in answer.text
    assert "exceeded quota" in answer.text
