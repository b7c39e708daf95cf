"""The healthy part of the scene, read back by kubectl."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from lab import CANARY, scene
from tests.lab.kubectl import Kubectl, condition, named

if TYPE_CHECKING:
    from lab import LabEnv
    from lab.scene import Role

pytestmark = pytest.mark.lab


def test_every_node_is_ready(lab: LabEnv, kubectl: Kubectl) -> None:
    own = [node for node in kubectl.list("nodes") if node["metadata"]["name"].startswith("node-")]
    assert len(own) == lab.nodes
    assert {condition(node, "Ready")["status"] for node in own} == {"True"}


@pytest.mark.parametrize(
    ("role", "replicas"),
    [(scene.HEALTHY, 3), (scene.MULTI_CONTAINER, 2), (scene.DATABASE, 2), (scene.UNDRAINABLE, 1)],
    ids=named,
)
def test_a_healthy_workload_has_all_its_pods_ready(kubectl: Kubectl, role: Role, replicas: int) -> None:
    assert kubectl.get(role)["status"]["readyReplicas"] == replicas
    pods = kubectl.pods(role)
    assert len(pods) == replicas
    assert {condition(pod, "Ready")["status"] for pod in pods} == {"True"}


def test_the_daemon_runs_on_every_node(lab: LabEnv, kubectl: Kubectl) -> None:
    assert kubectl.get(scene.DAEMON)["status"]["numberReady"] == lab.nodes
    assert len({pod["spec"]["nodeName"] for pod in kubectl.pods(scene.DAEMON)}) == lab.nodes


def test_the_shop_has_a_history_with_causes(kubectl: Kubectl) -> None:
    history = kubectl.text("rollout", "history", "deployment/web", "-n", scene.SHOP)
    positions = [history.index(cause) for cause in scene.HEALTHY_REVISIONS]
    assert positions == sorted(positions)


@pytest.mark.parametrize("role", [scene.DATABASE, scene.DAEMON], ids=named)
def test_other_workloads_have_two_revisions(kubectl: Kubectl, role: Role) -> None:
    revisions = kubectl.list("controllerrevisions", "-n", role.namespace, "-l", f"app={role.name}")
    assert sorted(revision["revision"] for revision in revisions) == [1, 2]


def test_the_autoscaler_knows_the_use_of_its_pods(kubectl: Kubectl) -> None:
    scaler = kubectl.get(scene.HEALTHY._replace(kind="HorizontalPodAutoscaler"))
    assert condition(scaler, "ScalingActive")["status"] == "True"
    assert scaler["status"]["desiredReplicas"] == 3


def test_services_have_endpoint_slices(kubectl: Kubectl) -> None:
    slices = kubectl.list("endpointslices", "-n", scene.SHOP, "-l", "kubernetes.io/service-name=web")
    ready = [end for part in slices for end in part["endpoints"] if end["conditions"]["ready"]]
    assert len(ready) == 3


def test_the_claims_of_the_database_are_bound(kubectl: Kubectl) -> None:
    claims = kubectl.list("persistentvolumeclaims", "-n", scene.SHOP, "-l", "app=db")
    assert [claim["status"]["phase"] for claim in claims] == ["Bound", "Bound"]


@pytest.mark.parametrize(("budget", "allowed"), [(scene.HEALTHY, 1), (scene.UNDRAINABLE, 0)], ids=["web", "quorum"])
def test_disruption_budgets_allow_what_they_should(kubectl: Kubectl, budget: Role, allowed: int) -> None:
    found = kubectl.get(budget._replace(kind="PodDisruptionBudget"))
    assert found["status"]["disruptionsAllowed"] == allowed


def test_the_undrainable_pod_is_on_its_node(kubectl: Kubectl) -> None:
    assert [pod["spec"]["nodeName"] for pod in kubectl.pods(scene.UNDRAINABLE)] == [scene.UNDRAINABLE_NODE]


def test_custom_objects_print_their_columns(kubectl: Kubectl) -> None:
    table = kubectl.text("get", scene.BACKUP_CRD, "-n", scene.PLATFORM, "--no-headers").splitlines()
    assert [line.split()[-2] for line in table] == ["Completed", "Failed"]


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        (scene.OPAQUE_SECRET, "Opaque"),
        (scene.BASIC_AUTH_SECRET, "kubernetes.io/basic-auth"),
        (scene.REGISTRY_SECRET, "kubernetes.io/dockerconfigjson"),
        (scene.APPLIED_SECRET, "Opaque"),
    ],
    ids=named,
)
def test_secrets_hold_the_canary(kubectl: Kubectl, secret: Role, kind: str) -> None:
    found = kubectl.get(secret)
    assert found["type"] == kind
    assert any(CANARY in base64.b64decode(value).decode() for value in found["data"].values())


def test_the_secret_applied_by_kubectl_repeats_the_canary_in_an_annotation(kubectl: Kubectl) -> None:
    annotations = kubectl.get(scene.APPLIED_SECRET)["metadata"]["annotations"]
    assert CANARY in annotations["kubectl.kubernetes.io/last-applied-configuration"]


def test_the_tls_secret_is_a_real_certificate(kubectl: Kubectl) -> None:
    data = kubectl.get(scene.TLS_SECRET)["data"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(data["tls.crt"]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert scene.TLS_NAME in names.get_values_for_type(x509.DNSName)


def test_the_viewer_sees_pods_but_no_secrets_and_nobody_sees_nothing(lab: LabEnv) -> None:
    viewer = Kubectl(lab.kubectl, lab.kubeconfig_viewer)
    nobody = Kubectl(lab.kubectl, lab.kubeconfig_nobody)
    assert viewer.run("get", "pods", "-n", scene.SHOP).returncode == 0
    assert "Forbidden" in viewer.run("get", "secrets", "-n", scene.SHOP).stderr
    assert "Forbidden" in nobody.run("get", "pods", "-n", scene.SHOP).stderr


@pytest.mark.parametrize(
    ("role", "memory"),
    [(scene.OVERPROVISIONED, "40Mi"), (scene.NEAR_LIMIT, "500Mi"), (scene.NO_REQUESTS, "90Mi")],
    ids=named,
)
def test_pods_report_the_use_they_are_annotated_with(kubectl: Kubectl, role: Role, memory: str) -> None:
    table = kubectl.text("top", "pods", "-n", role.namespace, "-l", f"app={role.name}", "--no-headers")
    assert {line.split()[2] for line in table.splitlines()} == {memory}


def test_the_vacant_namespace_holds_nothing_of_its_own(kubectl: Kubectl) -> None:
    assert kubectl.list("all", "-n", scene.VACANT) == []
