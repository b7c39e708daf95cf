"""Troubles beside pods: workloads, Jobs, nodes, storage, network, autoscaling, quotas, the API, certificates, kinds."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.services.kubernetes.diagnosis.areas import look
from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
from cloud_native_mcp.services.kubernetes.reading import Reader
from lab.probes import wait_until
from tests.services.kubernetes.scratch import deployment
from tests.services.kubernetes.test_audit import certificate
from tests.services.kubernetes.test_diagnose import findings
from tests.services.kubernetes.test_diagnose_pods import FATE, IMAGE, Bench, ago, ended, status

if TYPE_CHECKING:
    from cloud_native_mcp.services.kubernetes.diagnosis.finding import Area
    from cloud_native_mcp.services.kubernetes.service import KubernetesService
    from lab.kube import Manifest
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

Codes = set[tuple[str, str]]


@pytest.fixture
def bench(cluster: Desk, scratch: Scratch) -> Bench:
    """Objects in a namespace of the test's own."""
    return Bench(cluster, scratch)


async def seen(bench: Bench, *areas: Area, **arguments: Any) -> Codes:
    """Severity with code, and object, of each finding in the test's namespace."""
    rows = findings((await bench.scan(*areas, **arguments)).result)
    return {
        (f"{row[0]} {row[1]}", row[2].replace(f"{bench.scratch.namespace}/", "").partition(" (")[0]) for row in rows
    }


async def seen_later(bench: Bench, area: Area, **span: float) -> Codes:
    """The same as if so much time had passed."""
    scratch = bench.scratch
    client, now = cast("KubernetesService", bench.desk.service).client("lab"), datetime.now(UTC)
    moment, deadline = now + timedelta(**span), Deadline.after(10.0)
    reader = Reader(client, scratch.namespace, include_system=True, now=moment, deadline=deadline)
    found, failed = await look(Survey(reader, now, [area]), [area])
    assert failed == []
    return {(f"{one.severity} {one.code}", f"{one.object.kind} {one.object.name}") for one in found}


async def test_pods_that_the_api_refuses_are_found_on_every_kind_of_workload(bench: Bench, scratch: Scratch) -> None:
    level = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    scratch.api.merge(f"/api/v1/namespaces/{scratch.namespace}", level)
    scratch.make("Deployment", "web", **deployment("web"))
    fields = deployment("db")
    fields["spec"]["serviceName"] = "db"
    scratch.make("StatefulSet", "db", **fields)
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": IMAGE}]}
    scratch.make("Job", "once", group_version="batch/v1", spec={"template": {"spec": pod}})
    expected = {
        ("critical create_denied", "Deployment web"),
        ("critical create_denied", "StatefulSet db"),
        ("critical create_denied", "Job once"),
    }
    told: Codes = set()
    for _ in range(100):
        told = await seen(bench, "workloads", "jobs")
        if told >= expected:
            break
    assert told == expected
    answer = await bench.scan("workloads")
    assert "the pod security level of the namespace refuses it" in answer.text


async def test_pods_that_are_missing_are_told_after_some_time(bench: Bench, scratch: Scratch) -> None:
    fields = deployment("web", replicas=2)
    fields["spec"]["template"]["spec"]["schedulerName"] = "nobody"
    scratch.make("Deployment", "web", **fields)
    scratch.make("Deployment", "idle", **deployment("idle", replicas=0))
    wait_until(
        "pods", lambda: scratch.read("apps/v1", "deployments", "web")["status"].get("replicas") == 2, within=30.0
    )
    assert await seen(bench, "workloads") == {("info no_replicas", "Deployment idle")}
    later = await seen_later(bench, "workloads", minutes=5)
    assert later == {("info no_replicas", "Deployment idle"), ("critical pods_missing", "Deployment web")}
    both = await seen_later(bench, "pods", minutes=5)
    assert both == {("critical unscheduled", "Deployment web")}


async def test_a_paused_rollout_is_worth_knowing(bench: Bench, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web", replicas=0, paused=True))
    told = await seen(bench, "workloads")
    assert ("info paused", "Deployment web") in told


def cron_job(scratch: Scratch, name: str, schedule: str, **spec: Any) -> str:
    """A CronJob; the path of it."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": IMAGE}]}
    job = {"jobTemplate": {"spec": {"template": {"spec": pod}}}}
    scratch.make("CronJob", name, group_version="batch/v1", spec={"schedule": schedule, **job, **spec})
    return scratch.path("batch/v1", "cronjobs", name)


async def test_cron_jobs_that_did_not_run_are_found(bench: Bench, scratch: Scratch) -> None:
    yesterday, twenty = ago(days=1), (datetime.now(UTC) - timedelta(minutes=20)).strftime("%M %H * * *")
    deadline = {"startingDeadlineSeconds": 60}  # so that the controller does not make up for it at once
    for name, schedule, last in (
        ("missed", twenty, yesterday),
        ("yearly", "0 3 1 1 *", yesterday),
        ("fine", twenty, ago(minutes=19)),
    ):
        path = cron_job(scratch, name, schedule, **deadline)
        scratch.api.merge(f"{path}/status", {"status": {"lastScheduleTime": last}})
    cron_job(scratch, "stopped", "*/5 * * * *", suspend=True)
    cron_job(scratch, "new", twenty)
    assert await seen(bench, "jobs") == {
        ("warning cron_missed", "CronJob missed"),
        ("info suspended", "CronJob stopped"),
    }
    answer = await bench.scan("jobs")
    assert "it was due" in answer.text


async def test_a_failed_job_is_told_with_the_end_of_its_pod(bench: Bench, scratch: Scratch) -> None:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": IMAGE}]}
    template = {"metadata": {"annotations": FATE}, "spec": pod}
    scratch.make("Job", "once", group_version="batch/v1", spec={"backoffLimit": 0, "template": template})
    pods = scratch.path("v1", "pods")
    wait_until("the pod", lambda: any(one["spec"].get("nodeName") for one in scratch.api.items(pods)), within=30.0)
    name = scratch.api.items(pods)[0]["metadata"]["name"]
    told = {"phase": "Failed", "containerStatuses": [status(state=ended(127))]}
    scratch.api.merge(f"{pods}/{name}/status", {"status": told})

    def failed() -> bool:
        conditions: list[Manifest] = scratch.read("batch/v1", "jobs", "once")["status"].get("conditions") or []
        return any(one["type"] == "Failed" for one in conditions)

    wait_until("failure of the Job", failed, within=30.0)
    answer = await bench.scan("jobs")
    assert [row[1:3] for row in findings(answer.result)] == [["job_failed", f"Job {scratch.namespace}/once"]]
    assert "exit 127: the command was not found" in answer.text
    assert await seen(bench, "pods") == set()


async def test_services_that_lead_nowhere_are_found(bench: Bench, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    scratch.make("Deployment", "idle", **deployment("idle", replicas=0))
    path = scratch.path("apps/v1", "deployments", "web")
    wait_until("web", lambda: scratch.api.get(path)["status"].get("readyReplicas") == 1, within=30.0)
    ports = [{"port": 80}]
    for name, selector in (("good", "web"), ("typo", "wbe"), ("nobody", "zzzzzz"), ("asleep", "idle")):
        scratch.make("Service", name, spec={"ports": ports, "selector": {"app": selector}})
    named = [{"port": 80, "targetPort": "http"}]
    scratch.make("Service", "ports", spec={"ports": named, "selector": {"app": "web"}})
    scratch.make("Service", "manual", spec={"ports": ports})
    scratch.make("Service", "external", spec={"type": "ExternalName", "externalName": "example.com"})
    expected = {
        ("warning selector_mismatch", "Service typo"),
        ("warning no_endpoints", "Service nobody"),
        ("info no_endpoints", "Service asleep"),
        ("critical port_mismatch", "Service ports"),
    }
    assert await seen(bench, "network") == expected
    answer = await bench.scan("network")
    assert "app=wbe against app=web" in answer.text
    single = await bench.desk.ask("diagnose", kind="svc", name="typo", namespace=scratch.namespace)
    assert [row[1] for row in findings(single.result)] == ["selector_mismatch"]


async def test_ingresses_without_their_backends_are_found(bench: Bench, scratch: Scratch) -> None:
    scratch.make("Service", "web", spec={"ports": [{"port": 80, "name": "http"}], "selector": {"app": "zzzzzz"}})

    def ingress(name: str, service: str, port: dict[str, object], **spec: Any) -> None:
        backend = {"service": {"name": service, "port": port}}
        paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
        fields = {"rules": [{"host": "example.com", "http": {"paths": paths}}], **spec}
        scratch.make("Ingress", name, group_version="networking.k8s.io/v1", spec=fields)

    ingress("good", "web", {"name": "http"})
    ingress("gone", "api", {"number": 80})
    ingress("port", "web", {"number": 8080})
    ingress("tls", "web", {"number": 80}, tls=[{"secretName": "nowhere"}])
    told = {one for one in await seen(bench, "network", "certificates") if "Ingress" in one[1]}
    assert told == {
        ("critical ingress_backend_missing", "Ingress gone"),
        ("critical port_mismatch", "Ingress port"),
        ("warning tls_secret_missing", "Ingress tls"),
    }
    single = await bench.desk.ask("diagnose", kind="ingress", name="tls", namespace=scratch.namespace)
    assert "tls_secret_missing" in {row[1] for row in findings(single.result)}


async def test_load_balancers_that_nobody_provides_are_found(bench: Bench, scratch: Scratch) -> None:
    scratch.make("Service", "public", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})
    assert await seen(bench, "network") == set()
    assert await seen_later(bench, "network", minutes=5) == {("warning no_load_balancer", "Service public")}


async def test_claims_are_told_by_why_they_wait(bench: Bench, scratch: Scratch) -> None:
    late = f"late-{uuid.uuid4().hex[:8]}"
    storage_class = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": late}}
    scratch.api.apply(storage_class | {"provisioner": "example.com/disks", "volumeBindingMode": "WaitForFirstConsumer"})

    def claim(name: str, **spec: Any) -> None:
        fields = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
        scratch.make("PersistentVolumeClaim", name, spec=fields)

    try:
        claim("late", storageClassName=late)
        claim("gone", storageClassName="nowhere")
        claim("named", storageClassName="", volumeName="no-such-volume")
        claim("used", storageClassName="nowhere")
        volumes = [{"name": "a", "persistentVolumeClaim": {"claimName": "used"}}]
        containers = [{"name": "main", "image": IMAGE}]
        scratch.make("Pod", "holder", spec={"containers": containers, "volumes": volumes})
        told = await seen(bench, "storage")
        answer = await bench.scan("storage")
    finally:
        scratch.api.delete(f"/apis/storage.k8s.io/v1/storageclasses/{late}")
    assert told == {
        ("info pvc_pending", "PersistentVolumeClaim late"),
        ("warning pvc_pending", "PersistentVolumeClaim gone"),
        ("warning pvc_pending", "PersistentVolumeClaim named"),
        ("critical pvc_pending", "PersistentVolumeClaim used"),
    }
    assert "storage class nowhere does not exist" in answer.text
    assert "volume no-such-volume that it names" in answer.text


async def test_quotas_that_are_used_up_are_found(bench: Bench, scratch: Scratch) -> None:
    kind = "count/configmaps"

    def used(name: str) -> int | None:
        status = scratch.api.get(scratch.path("v1", "resourcequotas", name)).get("status", {})
        return int(status["used"][kind]) if kind in status.get("used", {}) else None

    for name, most in (("full", "3"), ("roomy", "100")):
        scratch.make("ResourceQuota", name, spec={"hard": {kind: most}})
    wait_until("a first count", lambda: None not in {used("full"), used("roomy")}, within=30.0)
    # What is made before admission has seen a quota is counted by no one until the next full resync, minutes later.
    numbers = itertools.count()

    def fill() -> None:
        scratch.make("ConfigMap", f"map-{next(numbers)}")

    wait_until("the count", lambda: used("full") == 3, within=30.0, tick=fill)
    assert await seen(bench, "quotas") == {("warning quota_full", "ResourceQuota full")}


async def test_autoscalers_and_budgets_in_trouble_are_found(bench: Bench, scratch: Scratch) -> None:
    def scaler(name: str, *conditions: tuple[str, str, str], minimum: int = 1) -> None:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"no-{name}"}
        spec = {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": 3}
        scratch.make("HorizontalPodAutoscaler", name, group_version="autoscaling/v2", spec=spec)
        told = [{"type": kind, "status": value, "reason": reason} for kind, value, reason in conditions]
        path = scratch.path("autoscaling/v2", "horizontalpodautoscalers", name)
        scratch.api.merge(
            f"{path}/status", {"status": {"currentReplicas": 3, "desiredReplicas": 3, "conditions": told}}
        )

    scaler("orphan", ("AbleToScale", "False", "FailedGetScale"))
    expected: Codes = {("warning hpa_target_missing", "HorizontalPodAutoscaler orphan")}
    assert await seen(bench, "autoscaling") == expected
    labels = {"matchLabels": {"app": "web"}}
    scratch.make(
        "PodDisruptionBudget", "strict", group_version="policy/v1", spec={"selector": labels, "minAvailable": 1}
    )
    scratch.make("Deployment", "web", **deployment("web"))
    path = scratch.path("policy/v1", "poddisruptionbudgets", "strict")
    wait_until("the budget", lambda: scratch.api.get(path)["status"].get("currentHealthy") == 1, within=30.0)
    assert await seen(bench, "autoscaling") == expected | {("warning pdb_blocks", "PodDisruptionBudget strict")}


async def test_certificates_that_end_are_found(bench: Bench, scratch: Scratch) -> None:
    for name, days in (("old", -1), ("near", 10), ("good", 300)):
        scratch.make("Secret", name, type="kubernetes.io/tls", data=certificate(timedelta(days=days)))
    assert await seen(bench, "certificates") == {
        ("critical cert_expired", "Secret old"),
        ("warning cert_expiring", "Secret near"),
    }
    single = await bench.desk.ask("diagnose", kind="secret", name="near", namespace=scratch.namespace)
    assert [row[1] for row in findings(single.result)] == ["cert_expiring"]
    assert "PRIVATE" not in repr(single.result)


async def test_nodes_in_trouble_are_found(bench: Bench, scratch: Scratch) -> None:
    name = f"sick-{uuid.uuid4().hex[:8]}"
    taints = [{"key": "example.com/lab", "effect": "NoSchedule"}]
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"unschedulable": True, "taints": taints},
    }
    scratch.api.apply(node)
    conditions = [
        {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "cni plugin not initialized"},
        {"type": "MemoryPressure", "status": "True", "reason": "KubeletHasInsufficientMemory"},
        {"type": "ReadonlyFilesystem", "status": "True", "reason": "FilesystemIsReadOnly"},
        {"type": "DiskPressure", "status": "False"},
    ]
    scratch.api.merge(f"/api/v1/nodes/{name}/status", {"status": {"conditions": conditions}})
    try:
        whole = await bench.desk.ask("diagnose", checks=["nodes"], min_severity="info", limit=100)
        single = await bench.desk.ask("diagnose", kind="node", name=name)
    finally:
        scratch.api.delete(f"/api/v1/nodes/{name}")
    for answer in (whole, single):
        assert {(row[0], row[1]) for row in findings(answer.result) if row[2] == f"Node {name}"} == {
            ("critical", "node_not_ready"),
            ("warning", "node_pressure"),
            ("warning", "node_problem"),
            ("info", "cordoned"),
            ("info", "tainted"),
        }
    assert "cni plugin not initialized" in single.text


async def test_apis_and_webhooks_without_a_server_are_found(bench: Bench, scratch: Scratch) -> None:
    group = f"{uuid.uuid4().hex[:8]}.example.com"
    service = {"namespace": scratch.namespace, "name": "nowhere"}
    registration, admission = "apiregistration.k8s.io/v1", "admissionregistration.k8s.io/v1"
    spec = {"group": group, "version": "v1", "service": service, "groupPriorityMinimum": 1, "versionPriority": 1}
    api = {"apiVersion": registration, "kind": "APIService", "metadata": {"name": f"v1.{group}"}}
    only_here = {"matchLabels": {"kubernetes.io/metadata.name": scratch.namespace}}

    def hook(name: str, policy: str) -> dict[str, Any]:
        rule = {
            "apiGroups": ["nothing.example.com"],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["a"],
        }
        fields = {"clientConfig": {"service": service}, "sideEffects": "None", "admissionReviewVersions": ["v1"]}
        return {"name": name, "failurePolicy": policy, "rules": [rule], "namespaceSelector": only_here, **fields}

    hooks = [hook(f"strict.{group}", "Fail"), hook(f"lax.{group}", "Ignore")]
    meta = {"apiVersion": admission, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": group}}
    paths = (
        f"/apis/{registration}/apiservices/v1.{group}",
        f"/apis/{admission}/validatingwebhookconfigurations/{group}",
    )
    try:
        scratch.api.apply(meta | {"webhooks": hooks})
        scratch.api.apply(api | {"spec": {**spec, "insecureSkipTLSVerify": True}})
        wait_until("its state", lambda: bool(scratch.api.get(paths[0]).get("status")), within=30.0)
        answer = await bench.desk.ask("diagnose", checks=["control_plane"], limit=100)
        single = await bench.desk.ask("diagnose", kind="apiservice", name=f"v1.{group}")
    finally:
        for path in paths:
            scratch.api.delete(path)
    rows = {(row[0], row[1], row[2]) for row in findings(answer.result) if group in row[2]}
    assert rows == {
        ("critical", "apiservice_down", f"APIService v1.{group}"),
        ("critical", "webhook_down", f"ValidatingWebhookConfiguration {group}"),
        ("warning", "webhook_down", f"ValidatingWebhookConfiguration {group}"),
    }
    assert [row[1] for row in findings(single.result)] == ["apiservice_down"]


async def test_references_that_lead_nowhere_are_found_on_one_workload(bench: Bench, scratch: Scratch) -> None:
    fields = deployment("web", replicas=0)
    spec = fields["spec"]["template"]["spec"]
    key = {"name": "login", "key": "password"}
    spec["containers"][0]["env"] = [{"name": "A", "valueFrom": {"secretKeyRef": key}}]
    spec["volumes"] = [
        {"name": "a", "configMap": {"name": "settings"}},
        {"name": "b", "configMap": {"name": "extra", "optional": True}},
        {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
    ]
    spec["serviceAccountName"] = "robot"
    spec["imagePullSecrets"] = [{"name": "registry"}]
    scratch.make("Deployment", "web", **fields)
    scratch.make("ConfigMap", "settings")
    answer = await bench.desk.ask("diagnose", kind="deploy", name="web", namespace=scratch.namespace)
    told = {(row[0], row[1], " ".join(row[4].split()[:2])) for row in findings(answer.result)}
    assert told == {
        ("info", "no_replicas", "it is"),
        ("critical", "config_missing", "Secret login"),
        ("info", "config_missing", "ConfigMap extra"),
        ("warning", "config_missing", "Secret registry"),
        ("critical", "pvc_missing", "claim data"),
        ("critical", "config_missing", "ServiceAccount robot"),
    }


async def test_a_policy_that_lets_nothing_in_is_told_of_its_pods(bench: Bench, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    path = scratch.path("apps/v1", "deployments", "web")
    wait_until("web", lambda: scratch.api.get(path)["status"].get("readyReplicas") == 1, within=30.0)
    policy: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress"]}
    scratch.make("NetworkPolicy", "closed", group_version="networking.k8s.io/v1", spec=policy)
    answer = await bench.desk.ask("diagnose", kind="deploy", name="web", namespace=scratch.namespace)
    assert [(row[0], row[1]) for row in findings(answer.result)] == [("info", "policy_denies")]
    assert "network policies: closed" in answer.text


async def test_a_look_that_is_cut_is_told(bench: Bench, scratch: Scratch) -> None:
    for number in range(4):
        scratch.make("Service", f"web-{number}", spec={"ports": [{"port": 80}], "selector": {"app": "zzzzzz"}})
    client, now = cast("KubernetesService", bench.desk.service).client("lab"), datetime.now(UTC)
    deadline = Deadline.after(10.0)
    reader = Reader(client, scratch.namespace, include_system=True, now=now, deadline=deadline, most=2)
    found, _ = await look(Survey(reader, now, ["network"]), ["network"])
    assert len(found) == 2
    assert "services: only the first 2 were looked at" in reader.notes
