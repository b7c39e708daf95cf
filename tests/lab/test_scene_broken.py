"""The broken part of the scene, read back by kubectl."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab import CANARY, scene
from tests.lab.kubectl import condition, named

if TYPE_CHECKING:
    from lab.scene import Role
    from tests.lab.kubectl import Kubectl, Object

pytestmark = pytest.mark.lab


def container(pod: Object) -> Object:
    """The status of a pod's first container."""
    statuses: list[Object] = pod["status"]["containerStatuses"]
    return statuses[0]


@pytest.mark.parametrize(
    ("role", "reason"),
    [
        (scene.IMAGE_PULL, "ImagePullBackOff"),
        (scene.CRASH_LOOP, "CrashLoopBackOff"),
        (scene.CONFIG_ERROR, "CreateContainerConfigError"),
    ],
    ids=named,
)
def test_a_broken_container_waits_for_its_reason(kubectl: Kubectl, role: Role, reason: str) -> None:
    [pod] = kubectl.pods(role)
    assert container(pod)["state"]["waiting"]["reason"] == reason
    assert condition(pod, "Ready")["status"] == "False"


@pytest.mark.parametrize(
    ("role", "restarts", "code", "reason"),
    [
        (scene.CRASH_LOOP, scene.CRASH_RESTARTS, scene.CRASH_EXIT_CODE, "Error"),
        (scene.OOM_KILLED, scene.OOM_RESTARTS, scene.OOM_EXIT_CODE, "OOMKilled"),
    ],
    ids=["crash", "memory"],
)
def test_a_restarted_container_tells_its_last_end(
    kubectl: Kubectl, role: Role, restarts: int, code: int, reason: str
) -> None:
    [pod] = kubectl.pods(role)
    status = container(pod)
    last = status["lastState"]["terminated"]
    assert (status["restartCount"], last["exitCode"], last["reason"]) == (restarts, code, reason)


@pytest.mark.parametrize(
    ("role", "text"),
    [(scene.NO_MEMORY, "Insufficient memory"), (scene.UNBOUND_CLAIM, "unbound immediate PersistentVolumeClaims")],
    ids=named,
)
def test_the_scheduler_says_why_a_pod_is_pending(kubectl: Kubectl, role: Role, text: str) -> None:
    [pod] = kubectl.pods(role)
    assert pod["status"]["phase"] == "Pending"
    assert text in condition(pod, "PodScheduled")["message"]
    events = kubectl.events(pod["metadata"]["name"], role.namespace)
    assert any(event["reason"] == "FailedScheduling" and text in event["message"] for event in events)


def test_pods_that_fail_their_probe_run_unready_with_repeated_warnings(kubectl: Kubectl) -> None:
    pods = kubectl.pods(scene.UNREADY)
    assert len(pods) == 2
    for pod in pods:
        assert pod["status"]["phase"] == "Running"
        assert condition(pod, "Ready")["status"] == "False"
        events = kubectl.events(pod["metadata"]["name"], scene.UNREADY.namespace)
        assert [event["count"] for event in events if event["reason"] == "Unhealthy"] == [scene.UNHEALTHY_COUNT]


def test_a_service_of_unready_pods_has_no_ready_endpoint(kubectl: Kubectl) -> None:
    slices = kubectl.list("endpointslices", "-n", scene.PAYMENTS, "-l", "kubernetes.io/service-name=frontdoor")
    assert [end["conditions"]["ready"] for part in slices for end in part["endpoints"]] == [False, False]


def test_the_stuck_rollout_keeps_its_old_pods_and_has_exceeded_its_deadline(kubectl: Kubectl) -> None:
    deployment = kubectl.get(scene.STUCK_ROLLOUT)
    assert condition(deployment, "Progressing")["reason"] == "ProgressDeadlineExceeded"
    assert (deployment["status"]["readyReplicas"], deployment["status"]["updatedReplicas"]) == (3, 1)
    sets = kubectl.list("replicasets", "-n", scene.PAYMENTS, "-l", f"app={scene.STUCK_ROLLOUT.name}")
    assert sorted(found["status"].get("readyReplicas", 0) for found in sets) == [0, 3]


def test_one_job_finished_and_one_failed(kubectl: Kubectl) -> None:
    finished, failed = kubectl.get(scene.FINISHED_JOB), kubectl.get(scene.FAILED_JOB)
    assert condition(finished, "Complete")["status"] == "True"
    assert finished["metadata"]["ownerReferences"][0]["name"] == scene.CRON_JOB.name
    assert condition(failed, "Failed")["reason"] == "BackoffLimitExceeded"


def test_the_quota_refuses_a_pod(kubectl: Kubectl) -> None:
    assert "exceeded quota" in condition(kubectl.get(scene.OVER_QUOTA), "ReplicaFailure")["message"]


def test_events_come_in_the_old_and_in_the_new_style(kubectl: Kubectl) -> None:
    [told] = kubectl.events(scene.BACKUP_FAILED.name, scene.PLATFORM)
    assert told["series"]["count"] > 1
    assert told.get("count") in (None, 0)
    assert told["reportingComponent"] == "operator.example.com"


def test_the_healthy_namespace_has_only_the_warning_that_was_written(kubectl: Kubectl) -> None:
    warnings = kubectl.list("events", "-n", scene.SHOP, "--field-selector=type=Warning")
    # the autoscaler warns whenever a scrape of metrics-server comes late, as on a busy machine
    [leaked] = [one for one in warnings if one["involvedObject"]["kind"] != "HorizontalPodAutoscaler"]
    assert CANARY in leaked["message"]


def logs(kubectl: Kubectl, role: Role, *arguments: str) -> str:
    """The log of a workload's first pod."""
    name = kubectl.pods(role)[0]["metadata"]["name"]
    return kubectl.text("logs", name, "-n", role.namespace, *arguments)


def test_the_crashing_worker_logs_its_trace_now_and_before(kubectl: Kubectl) -> None:
    for arguments in ([], ["--previous"]):
        assert "KeyError: 'currency'" in logs(kubectl, scene.CRASH_LOOP, *arguments)


def test_a_container_that_never_started_has_no_log(kubectl: Kubectl) -> None:
    name = kubectl.pods(scene.IMAGE_PULL)[0]["metadata"]["name"]
    done = kubectl.run("logs", name, "-n", scene.PAYMENTS)
    assert done.returncode == 1
    assert "BadRequest" in done.stderr


def test_a_pod_without_a_node_has_an_empty_log(kubectl: Kubectl) -> None:
    assert logs(kubectl, scene.NO_MEMORY) == ""


def test_the_gateway_logs_the_canary(kubectl: Kubectl) -> None:
    text = logs(kubectl, scene.LEAKY)
    assert f"password={CANARY}" in text
    assert f"Bearer {CANARY}" in text


def test_the_comments_give_orders_in_disguise(kubectl: Kubectl) -> None:
    text = logs(kubectl, scene.INJECTING)
    for sign in (scene.ORDERS, "\x1b[31", "\u202e", "\u200b", "</untrusted>"):
        assert sign in text
    assert scene.ORDERS in kubectl.get(scene.INJECTING)["metadata"]["annotations"]["description"]


@pytest.mark.parametrize(
    ("role", "lines"), [(scene.HEALTHY, scene.LOG_LINES), (scene.NEAR_LIMIT, scene.SEARCH_LINES)], ids=["usual", "long"]
)
def test_logs_have_the_promised_length(kubectl: Kubectl, role: Role, lines: int) -> None:
    assert len(logs(kubectl, role).splitlines()) == lines


def test_every_container_has_a_log_of_its_own(kubectl: Kubectl) -> None:
    texts = {logs(kubectl, scene.MULTI_CONTAINER, "-c", name, "--tail=5") for name in ("migrate", "proxy", "api")}
    assert len(texts) == 3
    spec: dict[str, Any] = kubectl.get(scene.MULTI_CONTAINER)["spec"]["template"]
    assert spec["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] == "api"
