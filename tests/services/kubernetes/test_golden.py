"""Whole answers on the seeded scene."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab import CANARY, scene
from tests.promises import promise
from tests.services.kubernetes.golden import check_golden

if TYPE_CHECKING:
    from tests.calls import Desk

DESCRIBED = (
    scene.HEALTHY,
    scene.MULTI_CONTAINER,
    scene.DATABASE,
    scene.LEAKY,
    scene.INJECTING,
    scene.BARE_POD,
    scene.BLOCKED_CLAIM,
    scene.NO_ENDPOINTS,
    scene.STUCK_ROLLOUT,
    scene.OVER_QUOTA,
    scene.DAEMON,
    scene.UNDRAINABLE,
    scene.BACKUP_FAILED,
    scene.CRON_JOB,
    scene.FINISHED_JOB,
    scene.FAILED_JOB,
    scene.OPAQUE_SECRET,
    scene.REGISTRY_SECRET,
    scene.APPLIED_SECRET,
    scene.Role("ConfigMap", scene.SHOP, "web-settings"),
    scene.Role("Ingress", scene.SHOP, "shop"),
    scene.Role("NetworkPolicy", scene.SHOP, "db-only-from-api"),
    scene.Role("PodDisruptionBudget", scene.PLATFORM, "quorum"),
    scene.Role("ServiceAccount", scene.SHOP, "web"),
    scene.Role("ResourceQuota", scene.BATCH, "batch"),
    scene.Role("LimitRange", scene.BATCH, "defaults"),
    scene.Role("Namespace", "", scene.SHOP),
    scene.Role("PersistentVolume", "", "archive"),
    scene.Role("StorageClass", "", "local-static"),
    scene.Role("PriorityClass", "", "business-critical"),
    scene.Role("ClusterRoleBinding", "", "legacy-payments-admin"),
)
VIEWS = (
    (scene.HEALTHY, "tree"),
    (scene.HEALTHY, "export"),
    (scene.DATABASE, "tree"),
    (scene.CRON_JOB, "tree"),
    (scene.Role("Ingress", scene.SHOP, "shop"), "tree"),
    (scene.Role("Service", scene.SHOP, "web"), "tree"),
    (scene.Role("Service", scene.SHOP, "web"), "export"),
    (scene.LEAKY, "export"),
    (scene.BACKUP_FAILED, "status"),
    (scene.BACKUP_OK, "yaml"),
    (scene.OPAQUE_SECRET, "yaml"),
    (scene.APPLIED_SECRET, "json"),
    (scene.APPLIED_SECRET, "export"),
)


def place(namespace: str) -> dict[str, str]:
    """The argument that names a namespace, where there is one."""
    return {"namespace": namespace} if namespace else {}


@promise("S4")
@promise("S13")
@pytest.mark.parametrize("role", DESCRIBED, ids=lambda role: f"{role.kind}-{role.name}")
async def test_the_description_of_an_object_of_the_scene(cluster: Desk, role: scene.Role) -> None:
    answer = await cluster.ask("get", kind=role.kind, name=role.name, **place(role.namespace))
    assert CANARY not in answer.text
    head, _, events = answer.text.partition("\nEvents")
    assert events or "\nevents: none held\n" in head  # what controllers wrote of the seeding differs in its counts
    check_golden(f"describe-{role.kind}-{role.name}".lower(), head)


@promise("S4")
@pytest.mark.parametrize(("role", "view"), VIEWS, ids=lambda value: value if isinstance(value, str) else value.name)
async def test_another_view_of_an_object_of_the_scene(cluster: Desk, role: scene.Role, view: str) -> None:
    answer = await cluster.ask("get", kind=role.kind, name=role.name, view=view, **place(role.namespace))
    assert CANARY not in answer.text
    check_golden(f"{view}-{role.kind}-{role.name}".lower(), answer.text)


@pytest.mark.parametrize(
    "role", [scene.CRASH_LOOP, scene.OOM_KILLED, scene.IMAGE_PULL, scene.UNREADY, scene.NO_MEMORY, scene.CONFIG_ERROR]
)
async def test_the_description_of_a_broken_pod(cluster: Desk, role: scene.Role) -> None:
    pods = await cluster.ask("list", kind="pods", namespace=role.namespace, label_selector=f"app={role.name}")
    answer = await cluster.ask("get", kind="pod", name=pods.rows[0][0], namespace=role.namespace)
    head, _, events = answer.text.partition("\nEvents")
    assert events
    check_golden(f"describe-pod-{role.name}", re.sub(r"\bnode-\d", "<node>", head))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("broken-deployments", {"kind": "deployments", "namespace": scene.PAYMENTS}),
        ("broken-pods", {"kind": "pods", "namespace": scene.PAYMENTS}),
        ("wide-deployments", {"kind": "deploy", "namespace": scene.SHOP, "columns": "wide"}),
        ("labelled-services", {"kind": "svc", "namespace": scene.SHOP, "columns": "labels"}),
        ("names-of-three-kinds", {"kind": "sts,svc,ing", "namespace": scene.SHOP, "columns": "name"}),
        ("custom-objects", {"kind": "backups.ops.example.com"}),
        ("claims-everywhere", {"kind": "pvc"}),
        ("secrets", {"kind": "secrets", "namespace": scene.SHOP}),
        ("fields", {"kind": "deploy", "label_selector": "app", "fields": [".spec.replicas", ".status.readyReplicas"]}),
        ("count", {"kind": "pods", "namespace": scene.PAYMENTS, "count_by": "STATUS"}),
        ("search-image", {"kind": "deploy,sts", "query": "postgres:17"}),
        ("sorted", {"kind": "deploy", "namespace": scene.SHOP, "sort_by": "-.spec.replicas"}),
    ],
)
async def test_a_list_of_the_scene(cluster: Desk, name: str, arguments: dict[str, object]) -> None:
    answer = await cluster.ask("list", **arguments)
    check_golden(f"list-{name}", answer.text)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("unready", {"namespace": scene.PAYMENTS, "reason": "Unhealthy"}),
        ("backup", {"namespace": scene.PLATFORM, "kind": "backup", "name": "weekly"}),
        ("crash-loop", {"namespace": scene.PAYMENTS, "reason": "BackOff"}),
        ("leaked", {"namespace": scene.SHOP, "reason": "Unhealthy", "query": "liveness", "group": False}),
        ("nothing", {"namespace": scene.VACANT}),
    ],
)
async def test_events_of_the_scene(cluster: Desk, name: str, arguments: dict[str, object]) -> None:
    answer = await cluster.ask("events", since="20d", **arguments)
    assert CANARY not in answer.text
    check_golden(f"events-{name}", answer.text)


@pytest.mark.parametrize(
    ("role", "view"),
    [
        (scene.HEALTHY, "status"),
        (scene.HEALTHY, "history"),
        (scene.HEALTHY, "diff"),
        (scene.STUCK_ROLLOUT, "status"),
        (scene.STUCK_ROLLOUT, "diff"),
        (scene.OVER_QUOTA, "status"),
        (scene.DATABASE, "status"),
        (scene.DATABASE, "history"),
        (scene.DATABASE, "diff"),
        (scene.DAEMON, "status"),
        (scene.DAEMON, "history"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
async def test_rollouts_of_the_scene(cluster: Desk, role: scene.Role, view: str) -> None:
    answer = await cluster.ask("rollout", kind=role.kind, name=role.name, namespace=role.namespace, view=view)
    check_golden(f"rollout-{view}-{role.name}", answer.text)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("who-can", {"view": "who_can", "verb": "patch", "resource": "deploy", "namespace": scene.SHOP}),
        ("rules", {"view": "rules", "subject": "sa:shop/deployer", "namespace": scene.SHOP}),
        ("can-i", {"verb": "patch", "resource": "deploy", "namespace": scene.SHOP, "subject": "sa:shop/deployer"}),
        ("cannot", {"verb": "get", "resource": "pods/exec", "namespace": scene.SHOP, "subject": "sa:shop/deployer"}),
        ("whoami", {"view": "whoami"}),
    ],
)
async def test_permissions_of_the_scene(cluster: Desk, name: str, arguments: dict[str, object]) -> None:
    answer = await cluster.ask("access", **arguments)
    check_golden(f"access-{name}", answer.text)


@promise("S4")
@pytest.mark.parametrize("namespace", [scene.PAYMENTS, scene.BATCH, scene.PLATFORM, scene.VACANT])
async def test_a_scan_of_a_namespace_for_troubles(cluster: Desk, namespace: str) -> None:
    answer = await cluster.ask("diagnose", namespace=namespace, since="20d", limit=100)
    # Equally grave ones come in the order of their beginning, which differs from lab to lab; so do counts.
    lines = sorted(answer.text.splitlines(), key=lambda line: (not line.startswith("SEVERITY"), line))
    text = re.sub(r"(ProvisioningFailed) x\d+", r"\1 x<count>", "\n".join(lines))
    check_golden(
        f"diagnose-{namespace}", re.sub(r"(unschedulable\t[^\t]+\t[^\t]+)\t.+\t", r"\1\t<placing>\t<placing>\t", text)
    )


@promise("S4")
@pytest.mark.parametrize(
    "role", [scene.CRASH_LOOP, scene.CONFIG_ERROR, scene.STUCK_ROLLOUT, scene.BACKUP_FAILED, scene.NO_ENDPOINTS]
)
async def test_why_an_object_of_the_scene_is_broken(cluster: Desk, role: scene.Role) -> None:
    answer = await cluster.ask("diagnose", kind=role.kind, name=role.name, namespace=role.namespace, since="20d")
    without_events = re.sub(r"\nEvents.*?</untrusted>", "", answer.text, flags=re.DOTALL)
    check_golden(f"diagnose-{role.kind}-{role.name}".lower(), re.sub(r"\bnode-\d", "<node>", without_events))
