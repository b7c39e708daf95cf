"""What is found on the seeded scene, by scans and of single objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from lab import CANARY, scene
from tests.promises import promise
from tests.services.kubernetes.clusters import Counter, clusters, error_of

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Result
    from lab.facts import LabEnv
    from tests.calls import Answer, Desk

ALWAYS = "20d"
"""A window that holds all events of the seeding, however long ago it was."""
HPA_WITHOUT_METRICS = ("hpa_no_metrics", f"HorizontalPodAutoscaler {scene.SHOP}/web")
"""Found when the lab runs without metrics-server."""


def found(answer: Answer) -> set[tuple[str, str]]:
    """Code and object of each finding, without the number of pods."""
    start = 1 if "CLUSTER" in answer.text.partition("SEVERITY")[0] else 0
    return {(row[start + 1], row[start + 2].partition(" (")[0]) for row in findings(answer.result, start)}


def findings(result: Result, start: int = 0) -> list[list[str]]:
    """The rows of findings."""
    tables: list[Any] = [block for block in result.blocks if getattr(block, "source", "") == "findings"]
    rows = [[str(cell) for cell in row] for table in tables for row in table.rows]
    assert all(row[start] in {"critical", "warning", "info"} for row in rows)
    return rows


def of(role: scene.Role) -> str:
    """An object of the scene as answers name it."""
    return f"{role.kind} {role.namespace}/{role.name}"


async def test_every_broken_object_of_payments_is_found_with_its_code(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", namespace=scene.PAYMENTS, since=ALWAYS, limit=100)
    assert found(answer) == {
        ("image_pull", of(scene.IMAGE_PULL)),
        ("crash_loop", of(scene.CRASH_LOOP)),
        ("oom_killed", of(scene.OOM_KILLED)),
        ("unschedulable", of(scene.NO_MEMORY)),
        ("probe_failing", of(scene.UNREADY)),
        ("no_endpoints", f"Service {scene.PAYMENTS}/frontdoor"),
        ("config_missing", of(scene.CONFIG_ERROR)),
        ("unschedulable", of(scene.UNBOUND_CLAIM)),
        ("pvc_pending", of(scene.BLOCKED_CLAIM)),
        ("image_pull", of(scene.STUCK_ROLLOUT)),
        ("no_endpoints", of(scene.NO_ENDPOINTS)),
    }


async def test_what_is_broken_elsewhere_in_the_scene_is_found_with_its_code(cluster: Desk) -> None:
    batch = await cluster.ask("diagnose", namespace=scene.BATCH, since=ALWAYS)
    assert found(batch) == {("job_failed", of(scene.FAILED_JOB)), ("create_denied", of(scene.OVER_QUOTA))}
    platform = await cluster.ask("diagnose", namespace=scene.PLATFORM, since=ALWAYS)
    budget = f"PodDisruptionBudget {scene.PLATFORM}/{scene.UNDRAINABLE.name}"
    assert found(platform) == {("pdb_blocks", budget), ("not_ready_custom", of(scene.BACKUP_FAILED))}


async def test_the_healthy_shop_shows_only_the_probe_that_was_seeded(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", namespace=scene.SHOP, since=ALWAYS)
    assert found(answer) - {HPA_WITHOUT_METRICS} == {("probe_failing", of(scene.LEAKY))}
    assert CANARY not in answer.text
    assert CANARY not in repr(answer.result.header)


async def test_workloads_scaled_to_zero_are_no_trouble(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", namespace=scene.RELEASES, since=ALWAYS, min_severity="info")
    assert {(row[0], row[1]) for row in findings(answer.result)} == {
        ("info", "no_replicas"),
        ("info", "no_endpoints"),
        ("info", "suspended"),
    }
    usual = await cluster.ask("diagnose", namespace=scene.RELEASES, since=ALWAYS)
    assert findings(usual.result) == []
    assert re.search(r"not shown: \d+ findings? below warning; see min_severity", usual.text)


async def test_a_namespace_without_troubles_shows_none(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", namespace=scene.VACANT, since=ALWAYS, min_severity="info")
    assert findings(answer.result) == []
    assert "0 findings of info or worse" in answer.text
    assert "looked at pods, workloads, jobs, storage, network" in answer.text


async def test_a_scan_of_the_cluster_ranks_the_worst_first(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", since=ALWAYS, limit=100, min_severity="info")
    rows = findings(answer.result)
    order = [("critical", "warning", "info").index(row[0]) for row in rows]
    assert order == sorted(order)
    first = next(row for row in rows if row[1] == "probe_failing")
    assert first[2] == f"{of(scene.UNREADY)} (2 pods)"
    assert {"critical", "warning"} <= {row[0] for row in rows}
    half_broken = next(row for row in rows if row[2] == of(scene.STUCK_ROLLOUT))
    assert half_broken[0] == "warning"  # its older pods serve
    assert "nodes" in next(note for note in answer.result.notes if note.startswith("looked at"))


async def test_causes_are_told_from_the_evidence(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", namespace=scene.PAYMENTS, since=ALWAYS, limit=100)
    told = {row[2].partition(" (")[0]: row for row in findings(answer.result)}
    assert "there is no such image or tag" in told[of(scene.IMAGE_PULL)][4]
    assert "exit 1: " in told[of(scene.CRASH_LOOP)][4]
    assert f"{scene.CRASH_RESTARTS} restarts" in told[of(scene.CRASH_LOOP)][4]
    assert "more memory than its limit" in told[of(scene.OOM_KILLED)][4]
    assert re.search(r"memory on \d+ of \d+ nodes", told[of(scene.NO_MEMORY)][4])
    assert "its claim is not bound" in told[of(scene.UNBOUND_CLAIM)][4]
    assert "makes no volumes by itself" in told[of(scene.BLOCKED_CLAIM)][4]
    assert f"x{scene.UNHEALTHY_COUNT}: Readiness probe failed" in told[of(scene.UNREADY)][5]
    assert 'secret "mailer-credentials" not found' in told[of(scene.CONFIG_ERROR)][5]
    assert "none of its 2 pods is ready" in told[f"Service {scene.PAYMENTS}/frontdoor"][4]


async def test_only_the_wanted_areas_are_looked_at(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", namespace=scene.PAYMENTS, checks=["network", "nodes"], since=ALWAYS)
    assert {code for code, _ in found(answer)} == {"no_endpoints"}
    assert "nodes: belong to the whole cluster; leave out namespace to look at them" in answer.text
    alone = await cluster.ask("diagnose", namespace=scene.PAYMENTS, checks=["workloads"], since=ALWAYS)
    assert ("progress_deadline", of(scene.CRASH_LOOP)) in found(alone)  # nobody told its cause


async def test_pages_of_a_scan_follow_each_other(cluster: Desk) -> None:
    asked: dict[str, object] = {"namespace": scene.PAYMENTS, "since": ALWAYS, "limit": 4}
    answer = await cluster.ask("diagnose", **asked)
    pages = [findings(answer.result)]
    while answer.cursor:
        answer = await cluster.ask("diagnose", **asked, cursor=answer.cursor)
        pages.append(findings(answer.result))
    assert [len(page) for page in pages] == [4, 4, 3]
    whole = await cluster.ask("diagnose", namespace=scene.PAYMENTS, since=ALWAYS, limit=100)
    assert [row[2] for page in pages for row in page] == [row[2] for row in findings(whole.result)]


async def test_a_namespace_as_an_object_is_scanned(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", kind="ns", name=scene.BATCH, since=ALWAYS, limit=1)
    assert len(findings(answer.result)) == 1
    assert f"in namespace {scene.BATCH} on" in answer.result.header


async def test_a_crash_is_explained_with_events_and_the_end_of_its_log(cluster: Desk) -> None:
    role = scene.CRASH_LOOP
    answer = await cluster.ask("diagnose", kind="deploy", name=role.name, namespace=role.namespace, since=ALWAYS)
    assert found(answer) == {("crash_loop", of(role))}  # and not that its rollout does not get on, which follows
    assert "KeyError: 'currency'" in answer.text
    assert "FATAL worker stops" in answer.text
    assert "before its last start" in answer.text
    assert "BackOff" in answer.text
    without = await cluster.ask("diagnose", kind="deploy", name=role.name, namespace=role.namespace, include_logs=False)
    assert "KeyError" not in without.text


async def test_a_pod_is_explained_by_itself(cluster: Desk) -> None:
    role = scene.CRASH_LOOP
    pods = await cluster.ask("list", kind="pods", namespace=role.namespace, label_selector=f"app={role.name}")
    name = pods.rows[0][0]
    answer = await cluster.ask("diagnose", kind="pod", name=name, namespace=role.namespace, since=ALWAYS)
    assert found(answer) == {("crash_loop", f"Pod {role.namespace}/{name}")}
    assert f"workload: {of(role)}" in answer.text


async def test_a_missing_reference_is_told_once(cluster: Desk) -> None:
    role = scene.CONFIG_ERROR
    answer = await cluster.ask("diagnose", kind="deploy", name=role.name, namespace=role.namespace, since=ALWAYS)
    assert [row[1] for row in findings(answer.result)] == ["config_missing"]


async def test_a_service_is_explained_by_its_pods(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", kind="svc", name="frontdoor", namespace=scene.PAYMENTS, since=ALWAYS)
    assert found(answer) == {
        ("probe_failing", of(scene.UNREADY)),
        ("no_endpoints", f"Service {scene.PAYMENTS}/frontdoor"),
    }


async def test_a_claim_is_explained_with_the_pod_that_waits_for_it(cluster: Desk) -> None:
    role = scene.BLOCKED_CLAIM
    answer = await cluster.ask("diagnose", kind="pvc", name=role.name, namespace=role.namespace, since=ALWAYS)
    assert found(answer) == {("pvc_pending", of(role)), ("unschedulable", of(scene.UNBOUND_CLAIM))}
    assert "ProvisioningFailed" in answer.text


async def test_a_custom_object_is_explained_by_its_conditions(cluster: Desk) -> None:
    role = scene.BACKUP_FAILED
    answer = await cluster.ask("diagnose", kind="backup", name=role.name, namespace=role.namespace, since=ALWAYS)
    assert found(answer) == {("not_ready_custom", of(role))}
    assert "BucketUnreachable" in answer.text
    assert "BackupFailed" in answer.text


@pytest.mark.parametrize(
    ("kind", "name", "namespace"),
    [
        ("deploy", scene.MULTI_CONTAINER.name, scene.SHOP),
        ("statefulset", scene.DATABASE.name, scene.SHOP),
        ("daemonset", scene.DAEMON.name, scene.PLATFORM),
        ("pod", scene.BARE_POD.name, scene.SHOP),
        ("svc", "api", scene.SHOP),
        ("configmap", "web-settings", scene.SHOP),
        ("secret", scene.TLS_SECRET.name, scene.SHOP),
        ("quota", "batch", scene.BATCH),
        ("cronjob", scene.CRON_JOB.name, scene.BATCH),
        ("backup", scene.BACKUP_OK.name, scene.PLATFORM),
    ],
)
async def test_a_healthy_object_shows_no_trouble(cluster: Desk, kind: str, name: str, namespace: str) -> None:
    answer = await cluster.ask("diagnose", kind=kind, name=name, namespace=namespace, since=ALWAYS)
    assert [row for row in findings(answer.result) if row[0] != "info"] == []
    assert CANARY not in answer.text


async def test_a_node_is_explained(cluster: Desk) -> None:
    answer = await cluster.ask("diagnose", kind="node", name=scene.UNDRAINABLE_NODE)
    assert "nothing wrong was found" in answer.result.header


@promise("S4")
async def test_credentials_in_logs_and_events_never_leave(cluster: Desk) -> None:
    role = scene.LEAKY
    answer = await cluster.ask("diagnose", kind="deploy", name=role.name, namespace=role.namespace, since=ALWAYS)
    assert ("probe_failing", of(role)) in found(answer)
    assert CANARY not in answer.text


async def test_every_next_call_works(cluster: Desk) -> None:
    scanned = await cluster.ask("diagnose", since=ALWAYS, limit=100, min_severity="info")
    calls = {row[6] for row in findings(scanned.result)}
    assert len(calls) > 10
    for text in sorted(calls):
        name, *arguments = text.split(" ")
        assert name.startswith("kubernetes_")
        given: dict[str, Any] = dict(part.split("=", 1) for part in arguments)
        answer = await cluster.ask(name.removeprefix("kubernetes_"), **given)
        assert answer.text


async def test_requests_of_a_scan_do_not_grow_with_the_findings(lab: LabEnv) -> None:
    counter = Counter()
    async with clusters(lab=lab.kubeconfig_admin, observer=counter) as desk:
        await desk.ask("list", kind="pods", limit=1)  # discovery is kept from here on
        before = len(counter.outcomes)
        await desk.ask("diagnose", namespace=scene.PAYMENTS, since=ALWAYS)
        whole = len(counter.outcomes) - before
        await desk.ask("diagnose", namespace=scene.VACANT, since=ALWAYS)
        empty = len(counter.outcomes) - before - whole
    assert whole <= empty + 1  # the storage classes, because a claim waits
    assert whole < 40


async def test_areas_that_may_not_be_read_are_not_taken_for_healthy(viewer: Desk, nobody: Desk) -> None:
    answer = await viewer.ask("diagnose", namespace=scene.SHOP, checks=["certificates", "workloads"], since=ALWAYS)
    assert [line.split(": ")[:3] for line in answer.result.partial] == [["certificates", "not checked", "forbidden"]]
    blind = await nobody.ask("diagnose", since=ALWAYS)
    assert findings(blind.result) == []
    areas = {line.partition(":")[0] for line in blind.result.partial}
    assert {"pods", "workloads", "jobs", "nodes", "storage", "network", "autoscaling", "quotas"} <= areas


async def test_all_clusters_are_looked_at_and_a_dead_one_is_told(lab: LabEnv, tmp_path: Any) -> None:
    config = lab.kubeconfig_admin.read_text(encoding="utf-8")
    dead = tmp_path / "dead.yaml"
    dead.write_text(re.sub(r"https://[^\s\"]+", "http://127.0.0.1:9", config), encoding="utf-8")
    async with clusters(lab=lab.kubeconfig_admin, twin=lab.kubeconfig_admin, dead=dead) as desk:
        asked: dict[str, object] = {"namespace": scene.BATCH, "since": ALWAYS}
        answer = await desk.ask("diagnose", **asked, target="*")
        rows = findings(answer.result, 1)
        assert {row[0] for row in rows} == {"lab", "twin"}
        assert all(row[-1].endswith(f" target={row[0]}") for row in rows)
        assert len(answer.result.partial) == 1
        assert answer.result.partial[0].startswith("dead: unreachable")
        error = await error_of(desk.ask("diagnose", kind="pod", name="web", target="*"))
        assert (error.code, error.text.partition(":")[0]) == ("invalid_argument", "target")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"kind": "pod"}, "name"),
        ({"name": "web"}, "kind"),
        ({"kind": "pod", "name": "web", "checks": ["pods"]}, "checks"),
        ({"kind": "pod", "name": "web", "limit": 5}, "limit"),
        ({"kind": "pod", "name": "Web_"}, "name"),
        ({"namespace": "No"}, "namespace"),
        ({"since": "now+1h"}, "since"),
        ({"checks": ["everything"]}, "checks"),
    ],
)
async def test_arguments_that_make_no_sense_are_refused(cluster: Desk, arguments: dict[str, Any], field: str) -> None:
    error = await error_of(cluster.ask("diagnose", **arguments))
    assert error.code == "invalid_argument"
    assert error.text.startswith(field)


@pytest.mark.parametrize(
    "arguments",
    [{"namespace": "shopp"}, {"kind": "ns", "name": "shopp"}, {"kind": "deploy", "name": "webb", "namespace": "shop"}],
)
async def test_what_does_not_exist_is_told_with_near_names(cluster: Desk, arguments: dict[str, Any]) -> None:
    error = await error_of(cluster.ask("diagnose", **arguments))
    assert error.code == "not_found"
    assert "near: " in error.text
