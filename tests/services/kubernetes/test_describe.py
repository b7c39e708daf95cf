"""Descriptions: what they must not miss, against kubectl and on objects the scene does not have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.backends.kubernetes.pods import pod_status, ready_count
from cloud_native_mcp.services.kubernetes.describe.facts import (
    Facts,
    condition_rows,
    is_bad,
    selector_line,
    show,
)
from cloud_native_mcp.services.kubernetes.describe.registry import describe
from cloud_native_mcp.services.kubernetes.inspection.documents import cleaned
from lab import scene
from tests.promises import promise
from tests.services.kubernetes.kubectl import kubectl, kubectl_json

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Desk

SECRET_URL = "postgres://shop:hunter2-and-more@db.shop.svc:5432/shop"


def facts_of(group: str, kind: str, **obj: object) -> str:
    """The facts of an object, tables too."""
    facts: Facts = describe(obj, group=group, kind=kind, digest=lambda _: "d")
    return "\n".join([*facts.lines, *(str(table.rows) for table in facts.tables)])


async def test_every_pod_of_the_scene_has_the_status_that_kubectl_shows(lab: LabEnv) -> None:
    pods = (await kubectl_json(lab, "get", "pods", "-A"))["items"]
    printed = await kubectl(lab, "get", "pods", "-A", "--no-headers")
    shown = {tuple(line.split()[:2]): line.split()[2:4] for line in printed.splitlines()}
    for pod in pods:
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        assert ["{}/{}".format(*ready_count(pod)), pod_status(pod)] == shown[key]


async def test_a_description_of_a_pod_says_what_kubectl_describe_says(lab: LabEnv, cluster: Desk) -> None:
    listed = await cluster.ask("list", kind="pods", namespace=scene.PAYMENTS, label_selector="app=worker")
    name = listed.rows[0][0]
    printed = await kubectl(lab, "describe", "pod", name, "-n", scene.PAYMENTS)
    ours = (await cluster.ask("get", kind="pod", name=name, namespace=scene.PAYMENTS)).text
    said = dict(re.findall(r"(?m)^(\S[^:\n]+):[ ]+(\S.*)$", printed))
    inner = dict(re.findall(r"(?m)^[ ]+(\S[^:\n]+):[ ]+(\S.*)$", printed))
    for value in (said["Node"].partition("/")[0], said["QoS Class"], said["IP"], said["Service Account"]):
        assert value in ours
    for value in (inner["Image"], inner["Reason"], inner["Restart Count"], inner["Exit Code"], inner["cpu"]):
        assert value in ours
    assert said["Controlled By"] in ours


async def test_a_description_of_a_deployment_says_what_kubectl_describe_says(lab: LabEnv, cluster: Desk) -> None:
    printed = await kubectl(lab, "describe", "deploy", "web", "-n", scene.SHOP)
    ours = (await cluster.ask("get", kind="deploy", name="web", namespace=scene.SHOP)).text
    counts = re.findall(r"(\d+) (desired|updated|available)", printed)
    assert len(counts) == 3
    for number, word in counts:
        assert f"{number} {word}" in ours
    strategy = re.findall(r"(\d+%) max (unavailable|surge)", printed)
    for share, word in strategy:
        assert f"max{word.title()}={share}" in ours
    for probe in ("/ready", "/live", "period=5s", "period=10s"):
        assert probe in printed
        assert probe in ours


async def test_a_description_of_a_node_adds_up_as_kubectl_describe_does(lab: LabEnv, cluster: Desk) -> None:
    printed = await kubectl(lab, "describe", "node", scene.UNDRAINABLE_NODE)
    ours = (await cluster.ask("get", kind="node", name=scene.UNDRAINABLE_NODE)).text
    allocated = printed.partition("Allocated resources:")[2]
    for resource in ("cpu", "memory"):
        found = re.search(rf"(?m)^\s+{resource}\s+\S+ \((\d+%)\)\s+\S+ \((\d+%)\)", allocated)
        assert found is not None
        line = next(line for line in ours.splitlines() if line.startswith(f"{resource}\t"))
        _, _, requests, _, limits = line.split("\t")
        for mine, theirs in ((requests, found[1]), (limits, found[2])):
            assert abs(int(mine.rstrip("%")) - int(theirs.rstrip("%"))) <= 1  # kubectl rounds down


@promise("S4")
@pytest.mark.parametrize("before", [270, 285, 290, 299])
def test_a_credential_at_the_cut_of_a_long_value_is_masked_first(before: int) -> None:
    text = show("x" * before + " " + SECRET_URL + "y" * 300)
    assert "hunter2" not in text
    assert "…(+" in text


@promise("S4")
def test_a_credential_at_the_cut_of_a_long_text_of_a_document_is_masked_first() -> None:
    config = {"kind": "ConfigMap", "metadata": {}, "data": {"url": "x" * 1_980 + " " + SECRET_URL}}
    assert "hunter2" not in str(cleaned(config))


def test_long_texts_of_documents_are_cut_with_their_length_but_not_those_of_secrets() -> None:
    long = "a" * 5_000
    assert cleaned({"kind": "ConfigMap", "data": {"k": long}})["data"] == {"k": "a" * 2_000 + "…(+3000)"}
    assert cleaned({"kind": "Secret", "data": {"k": long}})["data"] == {"k": long}


@promise("S4")
def test_a_value_of_a_config_map_named_like_a_credential_is_not_shown() -> None:
    text = facts_of("", "ConfigMap", data={"db-password": "hunter2", "mode": "fast"})
    assert "hunter2" not in text
    assert "fast" in text


@pytest.mark.parametrize(
    ("condition", "bad"),
    [
        ({"type": "Ready", "status": "True"}, False),
        ({"type": "Ready", "status": "False"}, True),
        ({"type": "Ready", "status": "Unknown"}, True),
        ({"type": "MemoryPressure", "status": "False"}, False),
        ({"type": "MemoryPressure", "status": "True"}, True),
        ({"type": "ReplicaFailure", "status": "True"}, True),
        ({"type": "NetworkUnavailable", "status": "Unknown"}, True),
    ],
)
def test_a_condition_that_tells_of_trouble_is_known(condition: dict[str, object], bad: bool) -> None:
    assert is_bad(condition) is bad


def test_conditions_that_tell_of_trouble_come_first() -> None:
    rows = condition_rows([{"type": "A", "status": "True"}, {"type": "B", "status": "False", "reason": "Why"}])
    assert [(row[0], row[3]) for row in rows] == [("B", "Why"), ("A", "")]


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"app": "web"}, "app=web"),
        ({"matchLabels": {"app": "web"}}, "app=web"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x", "y"]}]}, "a in (x, y)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}, "a notin (x)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}]}, "a, !b"),
        ({}, ""),
    ],
)
def test_a_selector_is_one_line(selector: dict[str, object], text: str) -> None:
    assert selector_line(selector) == text


def init(**state: object) -> dict[str, object]:
    """The status of a running pod whose init container is in that state."""
    return {"phase": "Running", "initContainerStatuses": [{"name": "i", "state": state}]}


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"containerStatuses": [{"state": {"terminated": {"signal": 9}}}]}, "Signal:9"),
        ({"containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}, "ExitCode:3"),
        ({"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]}, "ErrImagePull"),
        (init(running={}), "Init:0/1"),
        (init(waiting={"reason": "CrashLoopBackOff"}), "Init:CrashLoopBackOff"),
        (init(terminated={"exitCode": 2}), "Init:ExitCode:2"),
        (init(terminated={"exitCode": 0}), "Running"),
        ({}, "Unknown"),
    ],
)
def test_the_status_of_a_pod_is_its_most_telling_reason(status: dict[str, object], shown: str) -> None:
    pod: dict[str, object] = {"spec": {"initContainers": [{"name": "i"}]}, "status": status}
    assert pod_status(pod) == shown


def test_a_pod_that_is_being_deleted_says_since_when_and_what_holds_it() -> None:
    meta = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/hold"]}
    text = facts_of("", "Pod", metadata=meta, spec={"containers": []}, status={"phase": "Running"})
    assert "status: Terminating" in text
    assert "held by finalizers example.com/hold" in text


def test_a_network_policy_that_lets_nobody_in_says_so() -> None:
    text = facts_of("networking.k8s.io", "NetworkPolicy", spec={"podSelector": {}, "policyTypes": ["Ingress"]})
    assert "all in the namespace" in text
    assert "nobody" in text


def test_a_kind_without_a_description_of_its_own_is_told_by_its_fields() -> None:
    text = facts_of("example.com", "Widget", spec={"size": 3, "on": False}, status={"phase": "Ready"})
    assert "spec.size: 3" in text
    assert "status.phase: Ready" in text


def test_a_controller_that_lags_behind_is_told() -> None:
    text = facts_of("apps", "Deployment", metadata={"generation": 4}, spec={}, status={"observedGeneration": 3})
    assert "generation 4, the controller has seen 3" in text
