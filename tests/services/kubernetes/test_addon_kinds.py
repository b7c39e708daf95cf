"""Kinds of add-ons as objects of the API server: their controllers run in no lab, so tests write what these would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from lab.lifecycle import attach
from lab.probes import wait_until
from lab.progress import Progress
from lab.state import State
from tests.lab_fixtures import lab_of_its_own
from tests.services.kubernetes.clusters import clusters

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from lab import LabEnv
    from lab.kube import KubeApi
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

KINDS: Final = (
    ("argoproj.io", "v1alpha1", "Rollout", "rollouts"),
    ("cert-manager.io", "v1", "Certificate", "certificates"),
    ("kubevirt.io", "v1", "VirtualMachine", "virtualmachines"),
    ("kubevirt.io", "v1", "VirtualMachineInstance", "virtualmachineinstances"),
    ("networking.istio.io", "v1", "VirtualService", "virtualservices"),
    ("tekton.dev", "v1", "PipelineRun", "pipelineruns"),
    ("tekton.dev", "v1", "TaskRun", "taskruns"),
    ("velero.io", "v1", "DeleteBackupRequest", "deletebackuprequests"),
    ("cilium.io", "v2", "CiliumEndpoint", "ciliumendpoints"),
)


def definition(group: str, version: str, kind: str, plural: str) -> dict[str, Any]:
    """The definition of a kind that takes anything."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{**served, "subresources": {"status": {}}}],
        },
    }


def _established(found: dict[str, Any]) -> bool:
    conditions: list[dict[str, Any]] = found.get("status", {}).get("conditions") or []
    return any((one["type"], one["status"]) == ("Established", "True") for one in conditions)


@pytest.fixture(scope="module")
def lab() -> Generator[LabEnv]:
    """A cluster for these kinds alone: controllers begin anew where kinds come and go, and others wait for them."""
    with lab_of_its_own("addons") as own:
        yield own


@pytest.fixture(scope="module")
def defined(lab: LabEnv) -> Generator[KubeApi]:
    """The kinds."""
    running = attach(State(lab.state), progress=Progress(quiet=True))
    names = [f"{plural}.{group}" for group, _, _, plural in KINDS]
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    def served() -> bool:
        found = {one["metadata"]["name"]: one for one in running.api.items(path)}
        return all(_established(found[name]) for name in names)

    for kind in KINDS:
        running.api.apply(definition(*kind))
    wait_until("the kinds", served, within=30)
    yield running.api
    running.close()


@pytest.fixture
async def addons(defined: KubeApi, lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service, which has not looked at the cluster before the kinds were there."""
    assert defined.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    async with clusters(lab=lab.kubeconfig_admin) as desk:
        yield desk


def make(
    scratch: Scratch, kind: str, name: str, *, status: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """An object, with the status that its controller would write."""
    group, version, _, plural = next(one for one in KINDS if one[2] == kind)
    made = scratch.make(kind, name, group_version=f"{group}/{version}", **fields)
    if status is not None:
        path = f"{scratch.path(f'{group}/{version}', plural, name)}/status"
        scratch.api.request("PATCH", path, {"status": status}, content="application/merge-patch+json")
    return made


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


async def test_they_are_listed_read_and_changed_as_any_other(addons: Desk, scratch: Scratch) -> None:
    make(scratch, "VirtualService", "routes", spec={"hosts": ["shop.example.com"]})
    listed = await addons.ask("list", kind="virtualservice", namespace=scratch.namespace)
    assert [row[0] for row in listed.rows] == ["routes"]
    one = {"kind": "virtualservices.networking.istio.io", "namespace": scratch.namespace, "name": "routes"}
    assert "shop.example.com" in (await addons.ask("get", view="yaml", **one)).text
    await addons.ask("patch", patch_type="merge", patch='{"spec": {"hosts": ["new.example.com"]}}', **one)
    assert scratch.read("networking.istio.io/v1", "virtualservices", "routes")["spec"]["hosts"] == ["new.example.com"]


SPEC: Final[dict[str, Any]] = {
    "replicas": 3,
    "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}},
    "selector": {"matchLabels": {"app": "canary"}},
    "template": {"metadata": {"labels": {"app": "canary"}}},
}


@pytest.mark.parametrize(
    ("said", "message", "counts", "phase", "words"),
    [
        ("Healthy", "", {"updatedReplicas": 3, "availableReplicas": 3}, "done", "3 of 3 pods updated and available"),
        ("Paused", "CanaryPauseStep", {"currentStepIndex": 1}, "paused", "(CanaryPauseStep), step 1 of 2"),
        ("Degraded", "ProgressDeadlineExceeded: timed out", {}, "stuck", "timed out"),
        ("Progressing", "more replicas need to be updated", {"updatedReplicas": 1}, "progressing", "1 of 3"),
    ],
)
async def test_a_rollout_tells_its_phase_and_step(
    addons: Desk, scratch: Scratch, said: str, message: str, counts: dict[str, int], phase: str, words: str
) -> None:
    status = {"observedGeneration": "1", "phase": said, "message": message, **counts}
    make(scratch, "Rollout", "canary", spec=SPEC, status=status)
    answer = await addons.ask("rollout", kind="rollout", namespace=scratch.namespace, name="canary")
    assert f": {phase}" in answer.text.splitlines()[0]
    assert words in answer.text


async def test_the_revisions_of_a_rollout_are_its_replica_sets(addons: Desk, scratch: Scratch) -> None:
    labels = {"app": "canary"}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    annotation = {"annotations": {"rollout.argoproj.io/revision": "2"}}
    made = make(scratch, "Rollout", "canary", metadata=annotation, spec=spec, status={"observedGeneration": "1"})
    for number, image in ((1, "registry.example.com/web:1.0"), (2, "registry.example.com/web:2.0")):
        scratch.make(
            "ReplicaSet",
            f"canary-{number}",
            group_version="apps/v1",
            metadata={
                "labels": labels,
                "annotations": {"rollout.argoproj.io/revision": str(number)},
                "ownerReferences": [owner("Rollout", made)],
            },
            spec={
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}},
            },
        )
    arguments = {"kind": "rollout", "namespace": scratch.namespace, "name": "canary"}
    history = await addons.ask("rollout", view="history", **arguments)
    assert [(row[0], row[1], row[3]) for row in history.rows] == [
        ("2", "current", "registry.example.com/web:2.0"),
        ("1", "", "registry.example.com/web:1.0"),
    ]
    difference = await addons.ask("rollout", view="diff", **arguments)
    assert "registry.example.com/web:2.0" in difference.text


async def test_what_is_not_ready_is_found_and_explained(addons: Desk, scratch: Scratch) -> None:
    missing = condition("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist")
    make(scratch, "Certificate", "web", spec={"secretName": "web-tls"}, status={"conditions": [missing]})
    stuck = condition("Ready", "False", "GuestNotRunning", "Guest VM is not reported as running")
    make(scratch, "VirtualMachine", "db", spec={"running": True}, status={"conditions": [stuck]})
    invalid = condition("Accepted", "False", "Invalid", "no hosts")
    make(scratch, "VirtualService", "bad", spec={"hosts": []}, status={"conditions": [invalid]})
    scan = await addons.ask("diagnose", namespace=scratch.namespace, checks=["custom"])
    for words in ("Secret does not exist", "Guest VM is not reported as running", "no hosts"):
        assert words in scan.text
    for kind, name in (("certificates.cert-manager.io", "web"), ("virtualmachine", "db")):
        one = await addons.ask("diagnose", kind=kind, name=name, namespace=scratch.namespace)
        assert "not_ready_custom" in one.text


async def test_the_guest_of_a_machine_is_in_its_status(addons: Desk, scratch: Scratch) -> None:
    guest = {"name": "Fedora Linux", "version": "44", "kernelRelease": "6.19"}
    make(scratch, "VirtualMachineInstance", "db", spec={}, status={"phase": "Running", "guestOSInfo": guest})
    shown = await addons.ask("get", kind="virtualmachineinstance", namespace=scratch.namespace, name="db", view="yaml")
    assert "Fedora Linux" in shown.text


async def test_runs_are_started_by_a_manifest_with_a_generated_name(addons: Desk, scratch: Scratch) -> None:
    manifest = """
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {generateName: build-}
spec: {pipelineRef: {name: build}}
---
apiVersion: velero.io/v1
kind: DeleteBackupRequest
metadata: {generateName: old-}
spec: {backupName: old}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: clone}
spec: {running: false}
"""
    applied = await addons.ask("apply", manifest=manifest, namespace=scratch.namespace)
    assert "applied 3 of 3 objects" in applied.text
    (run,) = scratch.api.items(scratch.path("tekton.dev/v1", "pipelineruns"))
    assert run["metadata"]["name"].startswith("build-")
    (request,) = scratch.api.items(scratch.path("velero.io/v1", "deletebackuprequests"))
    assert request["spec"]["backupName"] == "old"


async def test_logs_of_a_run_are_those_of_its_pods(addons: Desk, scratch: Scratch, tmp_path: Path) -> None:
    written = tmp_path / "log"
    written.write_text("2026-01-01T00:00:00.0Z stdout F all tests passed\n", encoding="utf-8")
    logs = {"logs": [{"containers": ["step-test"], "logsFile": str(written)}]}
    scratch.make("Logs", "build-test-pod", group_version="kwok.x-k8s.io/v1alpha1", spec=logs)
    run = make(scratch, "PipelineRun", "build", spec={})
    step = make(scratch, "TaskRun", "build-test", metadata={"ownerReferences": [owner("PipelineRun", run)]}, spec={})
    pod = {"containers": [{"name": "step-test", "image": "registry.example.com/box:1.0"}]}
    scratch.make("Pod", "build-test-pod", metadata={"ownerReferences": [owner("TaskRun", step)]}, spec=pod)

    def started() -> bool:
        return bool(scratch.read("v1", "pods", "build-test-pod")["status"].get("containerStatuses"))

    wait_until("the start of the pod", started, within=30)
    for kind, name in (("pipelinerun", "build"), ("taskrun", "build-test")):
        shown = await addons.ask("logs", kind=kind, name=name, namespace=scratch.namespace)
        assert "all tests passed" in shown.text


def owner(kind: str, obj: dict[str, Any]) -> dict[str, Any]:
    """The reference of a controller."""
    metadata = obj["metadata"]
    return {
        "apiVersion": obj["apiVersion"],
        "kind": kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }


async def test_the_add_ons_of_a_cluster_are_told_by_their_kinds(addons: Desk, scratch: Scratch) -> None:
    make(scratch, "CiliumEndpoint", "web", status={"state": "ready"})
    told = await addons.ask("clusters", view="addons")
    for name in ("Cilium", "Istio", "Tekton", "KubeVirt", "cert-manager", "Argo"):
        assert name in told.text
