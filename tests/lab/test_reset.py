"""Bringing a touched scene back, in a lab of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import environment, scene
from tests.lab.kubectl import Kubectl
from tests.lab.test_lifecycle import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A lab with the scene, but without the servers that measure it."""
    folder = tmp_path_factory.mktemp("scene") / "state"
    succeed(folder, "up", "--only", "base", "scene", "--quiet")
    yield folder
    succeed(folder, "down", "--wipe")


@pytest.fixture
def kubectl(state: Path) -> Kubectl:
    """kubectl as administrator of that lab."""
    return Kubectl.admin(environment(state))


def uids(kubectl: Kubectl, namespace: str) -> dict[str, str]:
    """Names and uids of the pods in a namespace."""
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in kubectl.list("pods", "-n", namespace)}


def test_an_untouched_scene_is_left_alone(state: Path, kubectl: Kubectl) -> None:
    before = uids(kubectl, scene.SHOP)
    assert "nothing had changed" in succeed(state, "reset")
    assert uids(kubectl, scene.SHOP) == before


def test_new_objects_disappear_and_the_scene_stays(state: Path, kubectl: Kubectl) -> None:
    before = uids(kubectl, scene.SHOP)
    kubectl.text("create", "namespace", "foreign")
    kubectl.text("create", "configmap", "foreign", "-n", "foreign")
    kubectl.text("create", "configmap", "foreign", "-n", "default")
    kubectl.text("create", "deployment", "foreign", "-n", scene.SHOP, "--image=registry.example.com/x")
    kubectl.text("create", "clusterrole", "foreign", "--verb=get", "--resource=pods")
    succeed(state, "reset")
    assert kubectl.run("get", "namespace", "foreign").returncode == 1
    assert kubectl.run("get", "configmap", "foreign", "-n", "default").returncode == 1
    assert kubectl.run("get", "clusterrole", "foreign").returncode == 1
    assert uids(kubectl, scene.SHOP) == before


def test_a_changed_node_is_as_before(state: Path, kubectl: Kubectl) -> None:
    kubectl.text("cordon", "node-3")
    kubectl.text("taint", "nodes", "node-3", "lab-test=yes:NoSchedule")
    succeed(state, "reset")
    [node] = kubectl.list("nodes", "--field-selector=metadata.name=node-3")
    assert "unschedulable" not in node["spec"]
    assert "taints" not in node["spec"]


def test_only_the_namespace_that_was_changed_is_seeded_again(state: Path, kubectl: Kubectl) -> None:
    shop, platform = uids(kubectl, scene.SHOP), uids(kubectl, scene.PLATFORM)
    kubectl.text("delete", "statefulset", scene.UNDRAINABLE.name, "-n", scene.PLATFORM)
    kubectl.text("delete", "configmap", "kube-root-ca.crt", "-n", scene.VACANT)
    succeed(state, "reset")
    assert set(uids(kubectl, scene.PLATFORM)) >= {f"{scene.UNDRAINABLE.name}-0"}
    assert set(uids(kubectl, scene.PLATFORM).values()).isdisjoint(platform.values())
    assert uids(kubectl, scene.SHOP) == shop


def test_a_deleted_namespace_comes_back(state: Path, kubectl: Kubectl) -> None:
    kubectl.text("delete", "namespace", scene.BATCH)
    succeed(state, "reset")
    assert kubectl.get(scene.FAILED_JOB)["status"]["failed"] == 1
    assert "nothing had changed" in succeed(state, "reset")
