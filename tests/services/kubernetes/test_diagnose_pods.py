"""Troubles of pods that the scene does not hold: pods whose status the test writes itself, as a kubelet would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.services.kubernetes.diagnosis.pods import pods
from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
from cloud_native_mcp.services.kubernetes.reading import Reader
from lab import CANARY
from lab.probes import wait_until
from tests.services.kubernetes.scratch import deployment
from tests.services.kubernetes.test_diagnose import findings, found

if TYPE_CHECKING:
    from cloud_native_mcp.services.kubernetes.service import KubernetesService
    from lab.kube import Manifest
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch

IMAGE = "registry.example.com/web:1.0"
NODE = "node-0"
FATE = {"lab/fate": "told-by-the-test"}
"""Keeps the lab's kubelets away from the pod's status."""


def ago(**span: float) -> str:
    """An RFC 3339 time so long ago."""
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ended(code: int, reason: str = "Error", **span: float) -> dict[str, Any]:
    """How a container ended."""
    return {"terminated": {"exitCode": code, "reason": reason, "finishedAt": ago(**(span or {"minutes": 5}))}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """Why a container waits."""
    return {"waiting": {"reason": reason, "message": message}}


def status(name: str = "main", **fields: Any) -> dict[str, Any]:
    """The status of a container."""
    usual: dict[str, Any] = {"ready": False, "restartCount": 0, "image": IMAGE, "imageID": "", "state": {"running": {}}}
    return {"name": name, **usual, **fields}


def conditions(*, ready: bool, since: str) -> list[dict[str, str]]:
    """The conditions of a pod that was placed."""
    told = "True" if ready else "False"
    return [{"type": kind, "status": told, "lastTransitionTime": since} for kind in ("Ready", "ContainersReady")]


@dataclass(frozen=True, slots=True)
class Bench:
    """Makes pods with a status in the test's namespace, and diagnoses them."""

    desk: Desk
    scratch: Scratch

    def pod(
        self, name: str, containers: list[dict[str, Any]], *, phase: str = "Running", ready: bool = False, **more: Any
    ) -> Manifest:
        """A pod on a node with these container statuses."""
        spec: dict[str, Any] = {"nodeName": NODE, "containers": [{"name": "main", "image": IMAGE}]}
        spec |= more.pop("spec", {})
        metadata = {"annotations": FATE, "labels": {"app": name}, **more.pop("metadata", {})}
        made = self.scratch.make("Pod", name, metadata=metadata, spec=spec)
        told = {"phase": phase, "conditions": conditions(ready=ready, since=ago(minutes=30)), **more}
        if containers:
            told["containerStatuses"] = containers
        self.scratch.api.merge(f"{self.scratch.path('v1', 'pods', name)}/status", {"status": told})
        return made

    def event(self, about: Manifest, reason: str, message: str, count: int = 5, **span: float) -> None:
        """A warning about an object."""
        meta = about["metadata"]
        when = ago(**(span or {"minutes": 3}))
        involved = {"kind": about["kind"], "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}
        times: dict[str, Any] = {"firstTimestamp": when, "lastTimestamp": when, "count": count}
        told: dict[str, Any] = {
            "type": "Warning",
            "reason": reason,
            "message": message,
            "involvedObject": involved,
            **times,
        }
        self.scratch.make("Event", f"{meta['name']}.{reason.lower()}", **told)

    async def scan(self, *checks: str, **arguments: Any) -> Answer:
        """All findings of the namespace."""
        asked = {"checks": list(checks) or ["pods"], "min_severity": "info", "limit": 100, **arguments}
        return await self.desk.ask("diagnose", namespace=self.scratch.namespace, **asked)

    async def codes(self, *checks: str, **arguments: Any) -> dict[str, tuple[str, str]]:
        """Severity and code by name of the object."""
        rows = findings((await self.scan(*checks, **arguments)).result)
        return {row[2].partition("/")[2].partition(" (")[0]: (row[0], row[1]) for row in rows}


@pytest.fixture
def bench(cluster: Desk, scratch: Scratch) -> Bench:
    """Pods in a namespace of the test's own."""
    return Bench(cluster, scratch)


async def test_images_that_cannot_be_pulled_are_told_apart(bench: Bench) -> None:
    messages = {
        "denied": (
            "ErrImagePull",
            "pull access denied: 403 Forbidden",
            "refuses the credentials",
        ),
        "limited": ("ImagePullBackOff", "429 Too Many Requests: toomanyrequests", "limits how often"),
        "unreachable": ("ImagePullBackOff", "dial tcp: lookup registry: no such host", "out of reach"),
        "platform": ("ErrImagePull", "no match for platform in manifest: not found", "kind of processor"),
        "malformed": ("InvalidImageName", "couldn't parse image reference", "malformed"),
    }
    for name, (reason, message, _) in messages.items():
        bench.pod(name, [status(state=waiting(reason, message))], phase="Pending")
    answer = await bench.scan()
    told = {row[2].partition("/")[2]: row for row in findings(answer.result)}
    assert {name: (row[0], row[1]) for name, row in told.items()} == dict.fromkeys(messages, ("critical", "image_pull"))
    for name, (_, _, words) in messages.items():
        assert words in told[name][4], name


async def test_ends_of_containers_are_explained(bench: Bench) -> None:
    back_off = waiting("CrashLoopBackOff")
    bench.pod("killed", [status(state=back_off, lastState=ended(137), restartCount=3)])
    bench.pod("oom", [status(state=back_off, lastState=ended(137, "OOMKilled"), restartCount=3)])
    bench.pod("command", [status(state=back_off, lastState=ended(127, "ContainerCannotRun"), restartCount=3)])
    bench.pod("between", [status(state=ended(2), restartCount=3)])
    bench.pod("once", [status(state=ended(3))], spec={"restartPolicy": "Never"})
    bench.pod("bad-start", [status(state=waiting("CreateContainerError", "no such device"))], phase="Pending")
    bench.pod("root", [status(state=waiting("CreateContainerConfigError", "container has runAsNonRoot"))])
    answer = await bench.scan()
    codes = {row[2].partition("/")[2]: row[1] for row in findings(answer.result)}
    assert codes == {
        "killed": "crash_loop",
        "oom": "oom_killed",
        "command": "crash_loop",
        "between": "crash_loop",
        "once": "exited",
        "bad-start": "start_failed",
        "root": "config_error",
    }
    assert "exit 137 (SIGKILL): it was killed" in answer.text
    assert "exit 127: the command was not found" in answer.text


async def test_a_restart_counts_while_it_is_in_the_window(bench: Bench) -> None:
    well: dict[str, Any] = {"ready": True}
    bench.pod("oom", [status(**well, lastState=ended(137, "OOMKilled"), restartCount=1)], ready=True)
    bench.pod("often", [status(**well, lastState=ended(1), restartCount=7)], ready=True)
    bench.pod("once", [status(**well, lastState=ended(1), restartCount=1)], ready=True)
    bench.pod("clean", [status(**well, lastState=ended(0, "Completed"), restartCount=4)], ready=True)
    bench.pod("old", [status(**well, lastState=ended(137, "OOMKilled", hours=5), restartCount=9)], ready=True)
    expected = {
        "oom": ("warning", "oom_killed"),
        "often": ("warning", "restarts"),
        "once": ("info", "restarts"),
        "old": ("info", "oom_killed"),
    }
    assert await bench.codes() == expected
    assert await bench.codes(since="6h") == expected | {"old": ("warning", "oom_killed")}


async def test_init_containers_that_fail_are_told_as_such(bench: Bench) -> None:
    init = {"initContainers": [{"name": "migrate", "image": IMAGE}]}
    state = status("migrate", state=waiting("CrashLoopBackOff"), lastState=ended(1), restartCount=4)
    main = status(state=waiting("PodInitializing"))
    bench.pod("first", [main], phase="Pending", spec=init, initContainerStatuses=[state])
    running = status("migrate")
    bench.pod("patient", [main], phase="Pending", spec=init, initContainerStatuses=[running])
    answer = await bench.scan()
    rows = findings(answer.result)
    assert next(row[:2] for row in rows if row[2].endswith("/first")) == ["critical", "init_failing"]
    assert "init container migrate: exit 1" in answer.text


async def test_probes_that_fail_are_found_with_and_without_their_events(bench: Bench) -> None:
    probe = {"httpGet": {"port": 80, "path": "/"}}
    bench.event(bench.pod("told", [status()]), "Unhealthy", "Readiness probe failed: HTTP 503")
    bench.event(bench.pod("starting", [status()]), "Unhealthy", "Startup probe failed: connection refused")
    with_probe = {"containers": [{"name": "main", "image": IMAGE, "readinessProbe": probe}]}
    bench.pod("silent", [status()], spec=with_probe)
    bench.pod("plain", [status()])
    bench.pod("fresh", [status()], spec=with_probe, conditions=conditions(ready=False, since=ago(seconds=5)))
    live = bench.pod("alive", [status(ready=True)], ready=True)
    bench.event(live, "Unhealthy", "Liveness probe failed: timeout", count=3)
    bench.event(bench.pod("blip", [status(ready=True)], ready=True), "Unhealthy", "Liveness probe failed: x", count=1)
    bench.event(bench.pod("past", [status(ready=True)], ready=True), "Unhealthy", "Liveness probe failed: x", hours=3)
    assert await bench.codes() == {
        "told": ("critical", "probe_failing"),
        "starting": ("critical", "probe_failing"),
        "silent": ("critical", "probe_failing"),
        "plain": ("critical", "not_ready"),
        "alive": ("warning", "probe_failing"),
    }


async def test_volumes_and_networks_that_cannot_be_set_up_are_found(bench: Bench) -> None:
    creating = [status(state=waiting("ContainerCreating"))]
    missing = 'MountVolume.SetUp failed for volume "a" : configmap "settings" not found'
    bench.event(bench.pod("map", creating, phase="Pending"), "FailedMount", missing)
    bench.event(bench.pod("disk", creating, phase="Pending"), "FailedAttachVolume", "Multi-Attach error for volume")
    bench.event(bench.pod("net", creating, phase="Pending"), "FailedCreatePodSandBox", "no IP addresses available")
    bench.pod("unknown", [], phase="Pending")
    recovered = bench.pod("recovered", [status(ready=True)], ready=True)
    bench.event(recovered, "FailedMount", missing)
    assert await bench.codes() == {
        "map": ("critical", "config_missing"),
        "disk": ("critical", "mount_failed"),
        "net": ("critical", "sandbox_failed"),
        "unknown": ("critical", "not_started"),
    }


async def test_pods_that_failed_count_while_they_are_in_the_window(bench: Bench) -> None:
    full: dict[str, Any] = {"reason": "Evicted", "message": "The node was low on resource: memory."}
    bench.pod("evicted", [], phase="Failed", **full)
    old = conditions(ready=False, since=ago(hours=5))
    bench.pod("long-gone", [], phase="Failed", conditions=old, **full)
    bench.pod("shut-down", [], phase="Failed", reason="Terminated", message="Pod was terminated by a node shutdown")
    bench.pod("exit", [status(state=ended(4))], phase="Failed", spec={"restartPolicy": "Never"})
    bench.pod("done", [status(state=ended(0))], phase="Succeeded", spec={"restartPolicy": "Never"})
    assert await bench.codes() == {
        "evicted": ("warning", "evicted"),
        "long-gone": ("info", "evicted"),
        "shut-down": ("warning", "pod_failed"),
        "exit": ("warning", "pod_failed"),
    }


async def test_pods_that_wait_for_a_place_or_a_gate(bench: Bench, scratch: Scratch) -> None:
    containers = [{"name": "main", "image": IMAGE}]
    scratch.make("Pod", "gated", spec={"schedulingGates": [{"name": "example.com/paid"}], "containers": containers})
    scratch.make("Pod", "picky", spec={"nodeSelector": {"disk": "gold"}, "containers": containers})
    scratch.make("Pod", "orphan", spec={"schedulerName": "nobody", "containers": containers})
    told: dict[str, tuple[str, str]] = {}
    for _ in range(100):
        told = await bench.codes()
        if len(told) > 1:
            break
    assert told == {"gated": ("info", "gated"), "picky": ("critical", "unschedulable")}
    answer = await bench.scan()
    assert "affinity on" in answer.text
    assert "no node has the labels that the pod asks for" in answer.text


async def test_a_pod_that_is_held_is_stuck_some_time_after_its_grace_period(bench: Bench, scratch: Scratch) -> None:
    bench.pod("held", [status(ready=True)], ready=True, metadata={"finalizers": ["example.com/hold"]})
    path = scratch.path("v1", "pods", "held")
    scratch.api.request("DELETE", f"{path}?gracePeriodSeconds=0")
    client, now = cast("KubernetesService", bench.desk.service).client("lab"), datetime.now(UTC)

    async def seen_at(moment: datetime) -> list[tuple[str, str]]:
        deadline = Deadline.after(10.0)
        reader = Reader(client, scratch.namespace, include_system=True, now=moment, deadline=deadline)
        return [(one.code, one.cause) for one in await pods(Survey(reader, now, ["pods"]))]

    try:
        assert await seen_at(now) == []
        later = await seen_at(now + timedelta(minutes=5))
    finally:
        scratch.api.merge(path, {"metadata": {"finalizers": None}})
    assert later == [("stuck_terminating", "finalizers hold it: example.com/hold")]


async def test_pods_of_one_workload_with_one_trouble_are_one_finding(bench: Bench, scratch: Scratch) -> None:
    fields = deployment("web", replicas=4)
    fields["spec"]["template"]["metadata"]["annotations"] = FATE
    scratch.make("Deployment", "web", **fields)

    def placed() -> list[Manifest]:
        return [pod for pod in scratch.api.items(scratch.path("v1", "pods")) if pod["spec"].get("nodeName")]

    wait_until("pods on nodes", lambda: len(placed()) == 4, within=30.0)
    broken = status(state=waiting("CrashLoopBackOff"), lastState=ended(1), restartCount=5)
    for number, pod in enumerate(placed()):
        serves = number == 0
        told = [status(ready=True)] if serves else [broken]
        body = {"phase": "Running", "conditions": conditions(ready=serves, since=ago(minutes=30))}
        path = f"{scratch.path('v1', 'pods', pod['metadata']['name'])}/status"
        scratch.api.merge(path, {"status": {**body, "containerStatuses": told}})
    rows = findings((await bench.scan("pods", "workloads")).result)
    # One of its pods serves, so it is no more than a warning; that the others are missing follows from it.
    assert [row[:3] for row in rows] == [["warning", "crash_loop", f"Deployment {scratch.namespace}/web (3 pods)"]]


async def test_credentials_in_what_kubelets_say_never_leave(bench: Bench, cluster: Desk) -> None:
    message = f"Get https://user:{CANARY}@registry.example.com/v2/: password={CANARY}"
    made = bench.pod("leaky", [status(state=waiting("ErrImagePull", message))], phase="Pending")
    bench.event(made, "Failed", f"pull: Authorization: Bearer {CANARY} {'x' * 300}")
    scanned = await bench.scan()
    single = await cluster.ask("diagnose", kind="pod", name="leaky", namespace=bench.scratch.namespace)
    assert found(scanned) == {("image_pull", f"Pod {bench.scratch.namespace}/leaky")}
    assert CANARY not in scanned.text + single.text
    assert "registry.example.com" in single.text
