"""kubernetes_drain on nodes of the tests' own in the lab's cluster, read back with the API; its choice is kubectl's."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lab import nodes as lab_nodes
from lab.probes import wait_until
from tests.calls import ProgressLog
from tests.promises import promise
from tests.services.kubernetes.clusters import clusters, error_of
from tests.services.kubernetes.kubectl import kubectl
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch

TAINT = {"key": "tests/only", "effect": "NoSchedule"}
TOLERATES = [{"key": "tests/only", "operator": "Exists"}]


@pytest.fixture
def node(scratch: Scratch) -> Generator[str]:
    """A ready node that only pods of this test tolerate."""
    name = f"drained-{uuid.uuid4().hex[:8]}"
    lab_nodes.create(scratch.api, [lab_nodes.manifest(name, 0, taints=[TAINT])])
    yield name
    for pod in pods_on(scratch, name):
        meta = pod["metadata"]
        scratch.api.delete(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", grace=0)
    scratch.api.delete(f"/api/v1/nodes/{name}")


@pytest.fixture
async def operator(lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service as an administrator whose operator permits draining."""
    async with clusters(lab=lab.kubeconfig_admin, policy={"allow": ["drain_nodes"]}) as running:
        yield running


def pods_on(scratch: Scratch, node: str) -> list[dict[str, Any]]:
    """The pods of the node."""
    return scratch.api.items(f"/api/v1/pods?fieldSelector=spec.nodeName={node}")


def unschedulable(scratch: Scratch, node: str) -> bool:
    """Whether the node is cordoned."""
    return bool(scratch.api.get(f"/api/v1/nodes/{node}")["spec"].get("unschedulable"))


def run(scratch: Scratch, node: str, name: str, *, kind: str = "Deployment", replicas: int = 1, **pod: Any) -> None:
    """A workload whose pods run on the node."""
    fields = deployment(name, replicas=replicas)
    spec = fields["spec"]["template"]["spec"]
    spec |= {"nodeSelector": {"kubernetes.io/hostname": node}, "tolerations": TOLERATES, **pod}
    if kind == "DaemonSet":
        del fields["spec"]["replicas"]
    scratch.make(kind, name, **fields)

    def running() -> bool:
        own = [one for one in pods_on(scratch, node) if one["metadata"]["labels"].get("app") == name]
        return [one["status"]["phase"] for one in own] == ["Running"] * replicas

    wait_until(f"the pods of {name}", running, within=30)


def bare_pod(scratch: Scratch, node: str, name: str) -> None:
    """A pod that nothing would create again."""
    container = {"name": "main", "image": "registry.example.com/web:1.0"}
    scratch.make("Pod", name, spec={"nodeName": node, "tolerations": TOLERATES, "containers": [container]})


def budget(scratch: Scratch, name: str, *, least: int) -> None:
    """A disruption budget of a workload, once it is in force."""
    spec = {"minAvailable": least, "selector": {"matchLabels": {"app": name}}}
    made = scratch.make("PodDisruptionBudget", f"{name}-budget", group_version="policy/v1", spec=spec)
    path = scratch.path("policy/v1", "poddisruptionbudgets", made["metadata"]["name"])
    wait_until("the budget", lambda: scratch.api.get(path).get("status", {}).get("currentHealthy", 0) > 0, within=30)


async def confirmed(desk: Desk, node: str, **arguments: object) -> Answer:
    """Ask for the plan, then carry it out."""
    plan = await desk.ask("drain", name=node, **arguments)
    return await desk.ask("drain", name=node, **arguments, confirm=plan.result.confirm)


async def test_a_node_is_cordoned_and_its_pods_are_gone(operator: Desk, scratch: Scratch, node: str) -> None:
    run(scratch, node, "web", replicas=3)
    run(scratch, node, "agent", kind="DaemonSet")
    plan = await operator.ask("drain", name=node)
    assert plan.text.startswith(f"would evict 3 of 4 pods of node {node}")
    assert "the node would be cordoned first" in plan.text
    assert not unschedulable(scratch, node)
    assert len(pods_on(scratch, node)) == 4
    log = ProgressLog()
    answer = await replace(operator, progress=log).ask("drain", name=node, confirm=plan.result.confirm)
    assert answer.text.startswith(f"drained node {node}: 3 of 3 pods gone")
    assert unschedulable(scratch, node)
    assert [pod["metadata"]["labels"]["app"] for pod in pods_on(scratch, node)] == ["agent"]
    assert log.reports[-1][:2] == (3, 3)


async def test_the_pods_that_go_are_those_kubectl_would_evict(
    lab: LabEnv, operator: Desk, scratch: Scratch, node: str
) -> None:
    run(scratch, node, "web", replicas=2)
    run(scratch, node, "cache", volumes=[{"name": "data", "emptyDir": {}}])
    run(scratch, node, "agent", kind="DaemonSet")
    bare_pod(scratch, node, "alone")
    flags = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", "--dry-run=server")
    printed = await kubectl(lab, "drain", node, *flags, refusals=True)
    theirs = {f"{scratch.namespace}/{name}" for name in re.findall(r"evicting pod [^/]+/(\S+)", printed)}
    plan = await operator.ask("drain", name=node, delete_emptydir_data=True, force=True)
    ours = {row[0] for row in plan.rows if row[1] == "would be evicted"}
    assert ours == theirs
    assert len(ours) == 4


async def test_pods_that_need_a_word_are_named_before_anything_is_done(
    operator: Desk, scratch: Scratch, node: str
) -> None:
    run(scratch, node, "cache", volumes=[{"name": "data", "emptyDir": {}}])
    run(scratch, node, "agent", kind="DaemonSet")
    bare_pod(scratch, node, "alone")
    error = await error_of(operator.ask("drain", name=node, ignore_daemonsets=False))
    assert error.code == "needs_flag"
    for argument, pod in (("ignore_daemonsets", "agent-"), ("delete_emptydir_data", "cache-"), ("force", "alone")):
        assert f"{argument}: {scratch.namespace}/{pod}" in error.text
    assert not unschedulable(scratch, node)
    assert len(pods_on(scratch, node)) == 3


async def test_a_budget_that_blocks_is_named_in_the_plan_and_at_the_end(
    operator: Desk, scratch: Scratch, node: str
) -> None:
    run(scratch, node, "web")
    run(scratch, node, "free")
    budget(scratch, "web", least=1)
    plan = await operator.ask("drain", name=node, timeout_seconds=6)
    assert "blocked: pdb_blocked" in plan.text
    assert "1 of them are held now" in plan.text
    answer = await operator.ask("drain", name=node, timeout_seconds=6, confirm=plan.result.confirm)
    assert answer.text.startswith(f"node {node} is not drained yet: 1 of 2 pods gone")
    assert "web-budget" in answer.text
    assert "stays cordoned" in answer.text
    assert [pod["metadata"]["labels"]["app"] for pod in pods_on(scratch, node)] == ["web"]


async def test_a_pod_whose_budget_gives_way_goes_in_the_same_drain(operator: Desk, scratch: Scratch, node: str) -> None:
    run(scratch, node, "web")
    budget(scratch, "web", least=1)
    plan = await operator.ask("drain", name=node, timeout_seconds=60)

    async def give_way(done: float, total: float | None = None, message: str | None = None) -> None:
        del done, total
        if "blocked" in (message or ""):
            path = scratch.path("policy/v1", "poddisruptionbudgets", "web-budget")
            scratch.api.merge(path, {"spec": {"minAvailable": 0}})

    answer = await replace(operator, progress=give_way).ask(
        "drain", name=node, timeout_seconds=60, confirm=plan.result.confirm
    )
    assert answer.text.startswith(f"drained node {node}")
    assert pods_on(scratch, node) == []


async def test_another_pod_since_the_plan_keeps_all_of_them(operator: Desk, scratch: Scratch, node: str) -> None:
    run(scratch, node, "web")
    plan = await operator.ask("drain", name=node)
    run(scratch, node, "late")
    error = await error_of(operator.ask("drain", name=node, confirm=plan.result.confirm))
    assert error.code == "plan_changed"
    assert not unschedulable(scratch, node)
    assert len(pods_on(scratch, node)) == 2


async def test_only_the_chosen_pods_go(operator: Desk, scratch: Scratch, node: str) -> None:
    run(scratch, node, "web")
    run(scratch, node, "stays")
    answer = await confirmed(operator, node, pod_selector="app=web")
    assert answer.text.startswith("drained node")
    assert [pod["metadata"]["labels"]["app"] for pod in pods_on(scratch, node)] == ["stays"]


@promise("S19")
async def test_a_drain_needs_the_operators_permit(cluster: Desk, scratch: Scratch, node: str) -> None:
    run(scratch, node, "web")
    error = await error_of(cluster.ask("drain", name=node))
    assert error.code == "denied_by_policy"
    assert "drain_nodes" in error.text
    assert not unschedulable(scratch, node)


async def test_a_node_that_is_not_there_is_named(operator: Desk) -> None:
    assert (await error_of(operator.ask("drain", name="nowhere"))).code == "not_found"
