"""kubernetes_top of what kubelets report: volumes and nodes, through an API server in front of the lab's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import scene
from tests.contract_servers.kubelet_proxy import Kubelet, in_front, pod_stats, refusal, summary
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.kubectl import kubectl_json
from tests.services.kubernetes.test_top import columns

if TYPE_CHECKING:
    from lab import LabEnv

GIB = 2**30


async def kubelets_of(lab: LabEnv, **changes: object) -> dict[str, Kubelet]:
    """A kubelet for each node, which report the volumes of the database: db-0 nearly full, db-1 nearly empty."""
    pods = (await kubectl_json(lab, "get", "pods", "-n", scene.SHOP, "-l", "app=db"))["items"]
    kubelets: dict[str, Kubelet] = {}
    for number in range(5):
        node = f"node-{number}"
        mounted = [
            pod_stats(scene.SHOP, name, f"data-{name}", used=(9 if name == "db-0" else 0) * GIB, capacity=10 * GIB)
            for pod in pods
            if pod["spec"]["nodeName"] == node
            for name in [str(pod["metadata"]["name"])]
        ]
        kubelets[node] = Kubelet(summary=summary(node, pods=mounted, full=0.9 if number == 0 else 0.4, psi=number > 0))
        for name, value in changes.items():
            setattr(kubelets[node], name, value)
    return kubelets


async def test_volumes_show_used_capacity_and_inodes(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, await kubelets_of(lab)) as (desk, server):
        answer = await desk.ask("top", by="volumes")
        asked = {request.path for request in server.requests if "stats/summary" in request.path}
        here = await desk.ask("top", by="volumes", namespace=scene.SHOP, show="near_limit")
        one = await desk.ask("top", by="volumes", name="data-db-1")
        chosen = await desk.ask("top", by="volumes", label_selector="app=db")
    rows = {row["CLAIM"]: row for row in columns(answer)}
    assert rows["data-db-0"]["USED"] == "9216Mi"
    assert rows["data-db-0"]["CAPACITY"] == "10240Mi"
    assert rows["data-db-0"]["USED/CAP"] == "90%"
    assert rows["data-db-0"]["INODES"] == "5%"
    assert rows["data-db-0"]["POD"] == "db-0"
    assert next(iter(rows)) == "data-db-0"
    assert rows[scene.BLOCKED_CLAIM.name]["POD"] == "(Pending)"
    assert rows[scene.BLOCKED_CLAIM.name]["USED"] == "-"
    assert "1 not reported by a kubelet" in answer.text
    assert len(asked) <= 2
    assert [row["CLAIM"] for row in columns(here)] == ["data-db-0"]
    assert [row["CLAIM"] for row in columns(one)] == ["data-db-1"]
    assert {row["CLAIM"] for row in columns(chosen)} == {"data-db-0", "data-db-1"}


async def test_node_stats_show_file_systems_errors_and_pressure(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, await kubelets_of(lab)) as (desk, _):
        answer = await desk.ask("top", by="node_stats", sort_by="disk")
        near = await desk.ask("top", by="node_stats", show="near_limit")
        one = await desk.ask("top", by="node_stats", name="node-1")
    rows = columns(answer)
    assert rows[0] == {
        "NODE": "node-0",
        "CPU": "1500m",
        "MEM": "2048Mi",
        "FS USED": "92160Mi",
        "FS": "102400Mi",
        "FS/CAP": "90%",
        "INODES": "10%",
        "IMAGES USED": "7168Mi",
        "IMAGES/CAP": "7%",
        "RX ERRORS": "3",
        "TX ERRORS": "0",
        "PSI CPU": "-",
        "PSI MEM": "-",
        "PSI IO": "-",
    }
    assert rows[1]["PSI IO"] == "2.5%"
    assert len(rows) == 5
    assert [row["NODE"] for row in columns(near)] == ["node-0"]
    assert [row["NODE"] for row in columns(one)] == ["node-1"]


async def test_a_node_that_does_not_answer_is_named_and_the_others_given(lab: LabEnv) -> None:
    kubelets = await kubelets_of(lab)
    kubelets["node-3"].reachable = False
    async with in_front(lab.kubeconfig_admin, kubelets) as (desk, _):
        answer = await desk.ask("top", by="node_stats")
    assert len(answer.rows) == 4
    assert "partial: node-3: kubelet_unreachable: " in answer.text


async def test_when_no_kubelet_answers_that_is_the_error(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, await kubelets_of(lab, reachable=False)) as (desk, _):
        for by in ("node_stats", "volumes"):
            error = await error_of(desk.ask("top", by=by))
            assert error.code == "kubelet_unreachable"


async def test_the_right_to_ask_kubelets_is_named_when_it_is_missing(lab: LabEnv) -> None:
    said = (
        'nodes "node-0" is forbidden: User "x" cannot get resource "nodes/proxy" in API group "" at the cluster scope'
    )
    overrides = {
        f"/api/v1/nodes/node-{number}/proxy/stats/summary": refusal(403, "Forbidden", said) for number in range(5)
    }
    async with in_front(lab.kubeconfig_admin, overrides=overrides) as (desk, _):
        error = await error_of(desk.ask("top", by="volumes"))
    assert error.code == "forbidden"
    assert "need get on nodes/proxy" in error.text


async def test_a_summary_with_only_what_old_kubelets_report_is_read(lab: LabEnv) -> None:
    old = {"node": {"nodeName": "node-0", "fs": None, "runtime": None}, "pods": None}
    async with in_front(lab.kubeconfig_admin, {"node-0": Kubelet(summary=old)}) as (desk, _):
        (row,) = columns(await desk.ask("top", by="node_stats", name="node-0"))
    assert set(row.values()) == {"node-0", "-", ""}
