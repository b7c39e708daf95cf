"""kubernetes_top on the lab's cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.services.kubernetes.quantities import parse_quantity
from lab import scene
from tests.contract_servers.kubelet_proxy import in_front, refusal
from tests.promises import promise
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.kubectl import kubectl, kubectl_json, table_of

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Answer, Desk

METRICS = "/apis/metrics.k8s.io/v1beta1"


def columns(answer: Answer) -> list[dict[str, str]]:
    """The rows of the first table, by the names of its columns."""
    table = answer.result.blocks[0]
    return [dict(zip(table.columns, row, strict=True)) for row in answer.rows]  # type: ignore[union-attr]


async def test_use_of_pods_is_that_of_kubectl_top(lab: LabEnv, cluster: Desk) -> None:
    answer = await cluster.ask("top", namespace=scene.SHOP)
    _, expected = table_of(await kubectl(lab, "top", "pods", "-n", scene.SHOP))
    found = {row["POD"]: (row["CPU"], row["MEM"]) for row in columns(answer)}
    assert found.keys() == {row[0] for row in expected}
    for name, cpu, memory in expected:
        assert found[name][1] == memory
        assert abs(int(found[name][0].rstrip("m")) - int(cpu.rstrip("m"))) <= 0.1 * int(cpu.rstrip("m")) + 2


async def test_requests_and_limits_stand_beside_the_use(cluster: Desk) -> None:
    answer = await cluster.ask("top", namespace=scene.SHOP, name=scene.BARE_POD.name)
    (row,) = columns(answer)
    assert [row[name] for name in ("CPU REQ", "CPU LIM", "MEM REQ", "MEM LIM")] == ["10m", "100m", "16Mi", "64Mi"]
    assert row["MEM/REQ"] == "75%"
    assert row["MEM/LIM"] == "19%"


async def test_rows_are_sorted_by_memory_and_by_what_is_asked_for(cluster: Desk) -> None:
    by_memory = columns(await cluster.ask("top", namespace=scene.SHOP))
    sizes = [parse_quantity(row["MEM"]) or 0 for row in by_memory]
    assert sizes == sorted(sizes, reverse=True)
    by_ratio = columns(await cluster.ask("top", namespace=scene.SHOP, sort_by="cpu_ratio"))
    assert by_ratio[0]["POD"].startswith(scene.NEAR_LIMIT.name)
    by_restarts = columns(await cluster.ask("top", sort_by="restarts", limit=1))
    assert by_restarts[0]["RESTARTS"] == str(scene.CRASH_RESTARTS)
    by_name = [row["POD"] for row in columns(await cluster.ask("top", namespace=scene.SHOP, sort_by="name"))]
    assert by_name == sorted(by_name)


@pytest.mark.parametrize(
    ("show", "present", "absent"),
    [
        ("near_limit", scene.NEAR_LIMIT, scene.HEALTHY),
        ("overprovisioned", scene.OVERPROVISIONED, scene.HEALTHY),
        ("idle", scene.OVERPROVISIONED, scene.NEAR_LIMIT),
        ("no_requests", scene.NO_REQUESTS, scene.HEALTHY),
    ],
)
@pytest.mark.parametrize("by", ["pods", "containers", "workloads"])
async def test_rows_of_a_kind_are_found(
    cluster: Desk, by: str, show: str, present: scene.Role, absent: scene.Role
) -> None:
    answer = await cluster.ask("top", by=by, namespace=scene.SHOP, show=show)
    assert present.name in answer.text
    assert f"{absent.name}-" not in answer.text
    assert f"Deployment/{absent.name}\t" not in answer.text
    assert f"{show}: " in answer.text


async def test_suggested_requests_are_twice_the_use_of_a_pod(cluster: Desk) -> None:
    rows = columns(await cluster.ask("top", by="workloads", namespace=scene.SHOP, show="overprovisioned"))
    row = next(row for row in rows if row["WORKLOAD"] == "Deployment/catalog")
    assert row["PODS"] == "2"
    assert abs(int(row["SUGGESTED CPU"].rstrip("m")) - 10) <= 2
    assert row["SUGGESTED MEM"] == "80Mi"


async def test_pods_are_added_up_to_their_workload_through_what_stands_between(cluster: Desk) -> None:
    rows = {row["WORKLOAD"]: row for row in columns(await cluster.ask("top", by="workloads", limit=100))}
    assert {"Deployment/web", "StatefulSet/db", "DaemonSet/agent", "Pod/toolbox"} <= rows.keys()
    assert not any(name.startswith("ReplicaSet/") for name in rows)
    assert rows["Deployment/web"]["PODS"] == "3"
    assert rows["Deployment/web"]["CPU REQ"] == "600m"
    assert rows["Deployment/worker"]["RESTARTS"] == str(scene.CRASH_RESTARTS)


async def test_containers_of_a_pod_add_up_to_it(cluster: Desk) -> None:
    pods = columns(await cluster.ask("top", namespace=scene.SHOP, label_selector="app=api"))
    parts = columns(await cluster.ask("top", by="containers", namespace=scene.SHOP, label_selector="app=api"))
    for pod in pods:
        own = [row for row in parts if row["POD"] == pod["POD"]]
        assert {row["CONTAINER"] for row in own} == {"proxy", "api"}
        assert sum(int(row["CPU REQ"].rstrip("m")) for row in own) == int(pod["CPU REQ"].rstrip("m"))
    one = await cluster.ask("top", by="containers", namespace=scene.SHOP, name="proxy")
    assert {row["CONTAINER"] for row in columns(one)} == {"proxy"}


async def test_shares_of_namespaces_are_of_everything(cluster: Desk) -> None:
    rows = columns(await cluster.ask("top", by="namespaces"))
    for share in ("CPU SHARE", "MEM SHARE"):
        assert 98 <= sum(int(row[share].rstrip("%")) for row in rows if row[share] != "-") <= 102
    (one,) = columns(await cluster.ask("top", by="namespaces", namespace=scene.SHOP))
    assert one["CPU SHARE"] != "100%"


async def test_nodes_stand_against_what_they_have_to_give(lab: LabEnv, cluster: Desk) -> None:
    rows = columns(await cluster.ask("top", by="nodes"))
    nodes = {node["metadata"]["name"]: node for node in (await kubectl_json(lab, "get", "nodes"))["items"]}
    pods = (await kubectl_json(lab, "get", "pods", "-A"))["items"]
    assert {row["NODE"] for row in rows} == nodes.keys()
    for row in rows:
        given = nodes[row["NODE"]]["status"]["allocatable"]
        assert parse_quantity(row["CPU ALLOC"]) == parse_quantity(given["cpu"])
        running = [
            pod
            for pod in pods
            if pod["spec"].get("nodeName") == row["NODE"] and pod["status"]["phase"] not in ("Succeeded", "Failed")
        ]
        assert row["PODS"] == f"{len(running)}/{given['pods']}"
    some = columns(await cluster.ask("top", by="nodes", name="node-1"))
    assert [row["NODE"] for row in some] == ["node-1"]


async def test_quotas_stand_against_their_bounds_with_the_limit_ranges(lab: LabEnv, cluster: Desk) -> None:
    answer = await cluster.ask("top", by="quotas", namespace=scene.BATCH)
    (quota,) = (await kubectl_json(lab, "get", "quota", "-n", scene.BATCH))["items"]
    assert {row["RESOURCE"]: row["HARD"] for row in columns(answer)} == quota["status"]["hard"]
    assert {row["RESOURCE"]: row["USED"] for row in columns(answer)} == quota["status"]["used"]
    assert f"{scene.BATCH}\tdefaults\tContainer\tcpu" in answer.text


async def test_pages_hold_every_row_once(cluster: Desk) -> None:
    everything = [row["POD"] for row in columns(await cluster.ask("top", sort_by="name", limit=300))]
    seen: list[str] = []
    answer = await cluster.ask("top", sort_by="name", limit=7)
    while True:
        seen += [row[1] for row in answer.rows]
        if not answer.cursor:
            break
        answer = await cluster.ask("top", sort_by="name", limit=7, cursor=answer.cursor)
    assert seen == everything


@promise("B17", service="kubernetes")
async def test_a_cursor_of_other_arguments_is_refused(cluster: Desk) -> None:
    answer = await cluster.ask("top", limit=1)
    error = await error_of(cluster.ask("top", by="nodes", limit=1, cursor=answer.cursor))
    assert error.code == "invalid_cursor"


async def test_the_footer_tells_sums_and_when_use_was_sampled(cluster: Desk) -> None:
    answer = await cluster.ask("top", namespace=scene.SHOP)
    assert "sum of 14 scheduled pods: CPU " in answer.text
    assert "use sampled 20" in answer.text
    everything = await cluster.ask("top")
    assert "not scheduled: 2 pods" in everything.text


@pytest.mark.parametrize("by", ["pods", "workloads", "nodes"])
async def test_without_metrics_api_the_rest_is_given(lab: LabEnv, by: str) -> None:
    down = refusal(503, "ServiceUnavailable", "the server is currently unable to handle the request")
    overrides = {f"{METRICS}/pods": down, f"{METRICS}/nodes": down}
    async with in_front(lab.kubeconfig_admin, overrides=overrides) as (front, _):
        answer = await front.ask("top", by=by)
    rows = columns(answer)
    assert rows
    assert {row["CPU"] for row in rows} == {"-"}
    assert any(row["CPU REQ"] != "-" for row in rows)
    assert "partial: metrics_unavailable: " in answer.text


async def test_a_missing_object_is_refused_with_near_names(cluster: Desk) -> None:
    for arguments, near in (
        ({"name": "toolbux", "namespace": scene.SHOP}, "toolbox"),
        ({"by": "workloads", "name": "catalogs"}, "catalog"),
        ({"by": "nodes", "name": "node-9"}, "node-"),
        ({"by": "containers", "name": "proxi"}, "proxy"),
        ({"by": "quotas", "name": "bach"}, "batch"),
        ({"name": "x", "namespace": "shopp"}, "shop"),
    ):
        error = await error_of(cluster.ask("top", **arguments))
        assert error.code == "not_found"
        assert f"near: {near}" in error.text


async def test_an_empty_namespace_gives_no_rows_and_a_missing_one_is_told(cluster: Desk) -> None:
    empty = await cluster.ask("top", namespace=scene.VACANT)
    assert "nothing found" in empty.text
    missing = await cluster.ask("top", namespace="shopp")
    assert "near: shop" in missing.text


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({"by": "nodes", "namespace": "shop"}, "invalid_argument", "namespace"),
        ({"sort_by": "disk"}, "invalid_argument", "sort_by"),
        ({"by": "quotas", "sort_by": "cpu"}, "invalid_argument", "sort_by"),
        ({"by": "nodes", "show": "no_requests"}, "invalid_argument", "show"),
        ({"by": "quotas", "show": "overprovisioned"}, "invalid_argument", "show"),
        ({"label_selector": "a b"}, "invalid_selector", "label_selector"),
        ({"namespace": "A"}, "invalid_argument", "namespace"),
        ({"name": "../x"}, "invalid_argument", "name"),
        ({"limit": 0}, "invalid_argument", "limit"),
    ],
)
async def test_wrong_arguments_are_refused_by_name(
    cluster: Desk, arguments: dict[str, object], code: str, field: str
) -> None:
    error = await error_of(cluster.ask("top", **arguments))
    assert error.code == code
    assert field in error.text


async def test_a_user_without_rights_is_told_what_is_missing(nobody: Desk) -> None:
    for by in ("pods", "nodes", "quotas", "node_stats", "volumes"):
        assert (await error_of(nobody.ask("top", by=by))).code == "forbidden"


async def test_the_answer_stays_within_its_budget(cluster: Desk) -> None:
    usual = await cluster.ask("top", by="containers")
    assert len(usual.text.encode()) <= 12_000
