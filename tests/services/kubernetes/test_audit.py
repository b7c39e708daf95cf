"""kubernetes_audit on the lab's cluster: each check finds the planted defect, and leaves its good twin alone."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.services.kubernetes.auditing.deprecated_apis import written
from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import ManagedMeta, Manager
from cloud_native_mcp.services.kubernetes.auditing.secrets import CONFIG_MAPS
from cloud_native_mcp.services.kubernetes.reading import Reader
from lab import CANARY
from tests.services.kubernetes.audited_pods import HARDENED, IMAGE
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from cloud_native_mcp.services.kubernetes.service import KubernetesService
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch

ENFORCE = "pod-security.kubernetes.io/enforce"
RBAC = "rbac.authorization.k8s.io/v1"


async def look(desk: Desk, scratch: Scratch, *checks: str, **arguments: object) -> Answer:
    """Audit the test's namespace, everything from info on."""
    asked = {"namespace": scratch.namespace, "min_severity": "info", "limit": 200, **arguments}
    return await desk.ask("audit", checks=list(checks), **asked)


def rules(answer: Answer) -> set[tuple[str, str]]:
    """Rule and object (without the namespace) of each finding."""
    found: set[tuple[str, str]] = set()
    for row in answer.rows:
        kind, _, name = row[3].partition(" ")
        found.add((row[2], f"{kind} {name.rpartition('/')[2]}"))
    return found


def make_workload(scratch: Scratch, name: str, *, kind: str = "Deployment", replicas: int = 1, **spec: Any) -> None:
    """A workload whose pods are hardened but for what is given."""
    fields = deployment(name, replicas=replicas)
    template = fields["spec"]["template"]["spec"]
    template["containers"][0] |= {"image": IMAGE, "securityContext": HARDENED}
    template["containers"][0] |= spec.pop("container", {})
    template |= spec
    scratch.make(kind, name, **fields)


async def test_a_workload_is_measured_once_against_the_level_of_its_namespace(cluster: Desk, scratch: Scratch) -> None:
    make_workload(scratch, "good", replicas=2)
    make_workload(scratch, "bad", replicas=3, hostPID=True)
    make_workload(scratch, "plain", container={"securityContext": {}})
    answer = await look(cluster, scratch, "pod_security")
    assert rules(answer) == {
        ("host_namespaces", "Deployment bad"),
        ("restricted", "Deployment plain"),
        ("enforced_level", f"Namespace {scratch.namespace}"),
    }
    assert answer.rows[0][0] == "critical"
    assert "the namespace enforces no level" in answer.rows[0][4]
    scratch.api.merge(f"/api/v1/namespaces/{scratch.namespace}", {"metadata": {"labels": {ENFORCE: "restricted"}}})
    answer = await look(cluster, scratch, "pod_security", min_severity="critical")
    assert rules(answer) == {("host_namespaces", "Deployment bad"), ("restricted", "Deployment plain")}
    assert all("enforces restricted: its new pods are refused" in row[4] for row in answer.rows)


async def test_every_kind_of_workload_and_bare_pods_are_looked_at(cluster: Desk, scratch: Scratch) -> None:
    template = {"spec": {"restartPolicy": "Never", "hostPID": True, "containers": [{"name": "main", "image": IMAGE}]}}
    make_workload(scratch, "set", hostPID=True)
    job = {"spec": {"template": template}}
    scratch.make("Job", "once", group_version="batch/v1", spec={"suspend": True, **job["spec"]})
    cron = {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": job}
    scratch.make("CronJob", "nightly", group_version="batch/v1", spec=cron)
    scratch.make("Pod", "bare", spec=template["spec"])
    answer = await look(cluster, scratch, "pod_security")
    found = {name for rule, name in rules(answer) if rule == "host_namespaces"}
    assert found == {"Deployment set", "Job once", "CronJob nightly", "Pod bare"}


async def test_bindings_of_dangerous_roles_are_found(cluster: Desk, scratch: Scratch) -> None:
    def bind(name: str, role: str, kind: str = "Role", account: str = "web") -> None:
        subject = {"kind": "ServiceAccount", "name": account, "namespace": scratch.namespace}
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
        scratch.make("RoleBinding", name, group_version=RBAC, roleRef=ref, subjects=[subject])

    def role(name: str, verbs: list[str], resources: list[str], groups: list[str]) -> None:
        rule = {"verbs": verbs, "resources": resources, "apiGroups": groups}
        scratch.make("Role", name, group_version=RBAC, rules=[rule])

    role("all", ["*"], ["*"], ["*"])
    role("secret-reader", ["get", "list"], ["secrets"], [""])
    role("escalator", ["bind", "escalate"], ["roles"], ["rbac.authorization.k8s.io"])
    role("shell", ["create"], ["pods/exec"], [""])
    role("harmless", ["get", "list"], ["pods"], [""])
    for name in ("all", "secret-reader", "escalator", "shell", "harmless"):
        bind(name, name)
    bind("nothing", "gone")
    bind("everybody", "harmless", account="default")
    bind("admins", "cluster-admin", kind="ClusterRole")
    assert rules(await look(cluster, scratch, "rbac")) == {
        ("everything", "RoleBinding all"),
        ("everything", "RoleBinding admins"),
        ("reads_secrets", "RoleBinding secret-reader"),
        ("escalation", "RoleBinding escalator"),
        ("executes", "RoleBinding shell"),
        ("missing_role", "RoleBinding nothing"),
        ("default_account", "RoleBinding everybody"),
    }


async def test_rights_over_the_cluster_are_critical_and_told_of_the_namespace(cluster: Desk, scratch: Scratch) -> None:
    name = f"audit-{uuid.uuid4().hex[:8]}"
    subject = {"kind": "ServiceAccount", "name": "web", "namespace": scratch.namespace}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    meta = {"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": name}}
    scratch.api.apply(meta | {"roleRef": ref, "subjects": [subject]})
    try:
        answer = await look(cluster, scratch, "rbac")
    finally:
        scratch.api.delete(f"/apis/{RBAC}/clusterrolebindings/{name}")
    assert [row[:4] for row in answer.rows] == [["critical", "rbac", "everything", f"ClusterRoleBinding {name}"]]
    assert not (await look(cluster, scratch, "rbac")).rows


async def test_network_policies_that_are_missing_or_let_everyone_in_are_found(cluster: Desk, scratch: Scratch) -> None:
    def policy(name: str, selector: dict[str, Any], ingress: list[Any]) -> None:
        spec = {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": ingress}
        scratch.make("NetworkPolicy", name, group_version="networking.k8s.io/v1", spec=spec)

    make_workload(scratch, "covered")
    make_workload(scratch, "open")
    assert rules(await look(cluster, scratch, "network_policies")) == {("no_policy", f"Namespace {scratch.namespace}")}
    policy("narrow", {"matchLabels": {"app": "covered"}}, [{"from": [{"podSelector": {}}]}])
    policy("wide", {"matchLabels": {"app": "covered"}}, [{}])
    policy("world", {"matchLabels": {"app": "covered"}}, [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])
    assert rules(await look(cluster, scratch, "network_policies")) == {
        ("not_selected", "Deployment open"),
        ("allows_all", "NetworkPolicy wide"),
        ("allows_all", "NetworkPolicy world"),
    }


async def test_credentials_in_plain_sight_are_found_and_never_told(cluster: Desk, scratch: Scratch) -> None:
    def source(name: str) -> dict[str, Any]:
        return {"name": "A", "valueFrom": {"secretKeyRef": {"name": name, "key": "password"}}}

    quiet: dict[str, Any] = {"automountServiceAccountToken": False}
    literal = {"name": "DB_PASSWORD", "value": f"{CANARY}-env"}
    make_workload(scratch, "literal", container={"env": [literal]}, **quiet)
    make_workload(scratch, "missing", container={"env": [source("nowhere")]}, **quiet)
    make_workload(scratch, "good", volumes=[{"name": "a", "secret": {"secretName": "login"}}], **quiet)
    make_workload(scratch, "token")
    scratch.make("Secret", "login", stringData={"password": f"{CANARY}-secret"})
    scratch.make("ConfigMap", "leaky", data={"api_token": f"{CANARY}-map", "mode": "fast"})
    scratch.make("ConfigMap", "clean", data={"mode": "fast"})
    note = {"kubernetes.io/service-account.name": "default"}
    scratch.make("Secret", "lasting", metadata={"annotations": note}, type="kubernetes.io/service-account-token")
    answer = await look(cluster, scratch, "secrets")
    assert rules(answer) == {
        ("in_environment", "Deployment literal"),
        ("missing", "Deployment missing"),
        ("as_environment", "Deployment missing"),
        ("default_token", "Deployment token"),
        ("in_config_map", "ConfigMap leaky"),
        ("lasting_token", "Secret lasting"),
    }
    everything = await look(cluster, scratch)
    assert CANARY not in everything.text
    assert CANARY not in repr(everything.result)
    assert base64.b64encode(CANARY.encode())[:12].decode() not in repr(everything.result)


async def test_images_without_a_lasting_name_are_found(cluster: Desk, scratch: Scratch) -> None:
    digest = f"registry.example.com:5000/web@sha256:{'0' * 64}"
    for name, image in (("latest", "web:latest"), ("none", "registry.example.com:5000/web"), ("tag", IMAGE)):
        make_workload(scratch, name, container={"image": image})
    make_workload(scratch, "good", container={"image": digest})
    assert rules(await look(cluster, scratch, "images")) == {
        ("moving_tag", "Deployment latest"),
        ("moving_tag", "Deployment none"),
        ("no_digest", "Deployment tag"),
    }


async def test_what_does_not_survive_is_found(cluster: Desk, scratch: Scratch) -> None:
    probe = {"httpGet": {"port": 80}}
    good = {"livenessProbe": probe, "readinessProbe": probe, "resources": {"limits": {"memory": "64Mi"}}}
    spread: dict[str, Any] = {
        "labelSelector": {},
        "maxSkew": 1,
        "topologyKey": "a",
        "whenUnsatisfiable": "ScheduleAnyway",
    }
    make_workload(scratch, "good", replicas=2, container=good, topologySpreadConstraints=[spread])
    make_workload(scratch, "bad", replicas=2)
    make_workload(scratch, "single", container=good)
    for name in ("good", "bad", "gone"):
        scratch.make("Service", name, spec={"ports": [{"port": 80}], "selector": {"app": name}})
    for name, least in (("good", 1), ("single", 1), ("gone", 1)):
        spec = {"selector": {"matchLabels": {"app": name}}, "minAvailable": least}
        scratch.make("PodDisruptionBudget", name, group_version="policy/v1", spec=spec)
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    scratch.make("Pod", "bare", spec={"containers": [{"name": "main", "image": IMAGE, **limits}]})
    assert rules(await look(cluster, scratch, "reliability")) == {
        ("no_memory_limit", "Deployment bad"),
        ("no_readiness_probe", "Deployment bad"),
        ("no_liveness_probe", "Deployment bad"),
        ("no_disruption_budget", "Deployment bad"),
        ("not_spread", "Deployment bad"),
        ("single_replica", "Deployment single"),
        ("blocks_eviction", "PodDisruptionBudget single"),
        ("budget_without_pods", "PodDisruptionBudget gone"),
        ("service_without_pods", "Service gone"),
        ("bare_pod", "Pod bare"),
    }


async def test_requests_for_deprecated_versions_are_found(cluster: Desk, scratch: Scratch) -> None:
    scratch.api.get("/api/v1/componentstatuses")
    answer = await cluster.ask("audit", checks=["deprecated_apis"], min_severity="info", limit=200)
    objects = {row[3] for row in answer.rows}
    assert "v1 componentstatuses" in objects
    assert "v1 pods" not in objects
    answer = await look(cluster, scratch, "deprecated_apis")
    assert not answer.rows
    assert "leave out namespace" in answer.text


async def test_objects_written_in_a_version_that_is_gone_are_found(cluster: Desk) -> None:
    # API servers forget who wrote in a gone version at the next write, so such an object cannot be planted.
    fields = [Manager("ancient", "apps/v1beta1"), Manager("today", "apps/v1"), Manager("unknown", "")]
    client = cast("KubernetesService", cluster.service).client("lab")
    deadline = Deadline.after(10.0)
    reader = Reader(client, None, include_system=False, now=datetime.now(UTC), deadline=deadline)
    found = await written(reader, "Deployment", ManagedMeta(name="old", namespace="shop", managed_fields=fields))
    assert [one.object for one in found] == ["Deployment shop/old"]
    assert found[0].why == "ancient wrote it as apps/v1beta1, which is not served any more"


def certificate(ends: timedelta) -> dict[str, str]:
    """The data of a TLS Secret whose certificate ends so long from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=400)).not_valid_after(now + ends)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, form, plain)
    return {"tls.crt": base64.b64encode(pem).decode(), "tls.key": base64.b64encode(private).decode()}


async def test_certificates_that_end_are_found(cluster: Desk, scratch: Scratch) -> None:
    for name, days in (("old", -1), ("near", 10), ("good", 300)):
        scratch.make("Secret", name, type="kubernetes.io/tls", data=certificate(timedelta(days=days)))
    junk = {"tls.crt": base64.b64encode(b"junk").decode(), "tls.key": ""}
    scratch.make("Secret", "broken", type="kubernetes.io/tls", data=junk)
    rule = {
        "http": {
            "paths": [
                {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "a", "port": {"number": 80}}}}
            ]
        }
    }
    for name, secret in (("without", "nowhere"), ("with", "good")):
        spec = {"tls": [{"secretName": secret}], "rules": [rule]}
        scratch.make("Ingress", name, group_version="networking.k8s.io/v1", spec=spec)
    answer = await look(cluster, scratch, "certificates")
    assert rules(answer) == {
        ("expired", "Secret old"),
        ("ends_soon", "Secret near"),
        ("unreadable", "Secret broken"),
        ("missing", "Ingress without"),
    }
    assert answer.rows[0][:3] == ["critical", "certificates", "expired"]
    assert "CN=shop.example.com" in answer.text
    assert "PRIVATE" not in repr(answer.result)


async def test_objects_that_nothing_names_are_found(cluster: Desk, scratch: Scratch) -> None:
    volumes = [{"name": "a", "configMap": {"name": "used"}}, {"name": "b", "secret": {"secretName": "used"}}]
    make_workload(scratch, "web", volumes=volumes, serviceAccountName="used")
    for name in ("used", "idle"):
        scratch.make("ConfigMap", name, data={"a": "b"})
        scratch.make("Secret", name, stringData={"a": "b"})
        scratch.make("ServiceAccount", name)
    assert rules(await look(cluster, scratch, "unused")) == {
        ("not_used", "ConfigMap idle"),
        ("not_used", "Secret idle"),
        ("not_used", "ServiceAccount idle"),
    }


def claim(scratch: Scratch, name: str) -> None:
    """A volume claim."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    scratch.make("PersistentVolumeClaim", name, spec=spec)


async def test_claims_that_no_pod_mounts_are_found(cluster: Desk, scratch: Scratch) -> None:
    claim(scratch, "used")
    claim(scratch, "idle")
    volumes = [{"name": "a", "persistentVolumeClaim": {"claimName": "used"}}]
    requests = {"resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    spec = {"containers": [{"name": "main", "image": IMAGE, **requests}], "volumes": volumes}
    scratch.make("Pod", "holder", spec=spec)
    assert rules(await look(cluster, scratch, "cost")) == {("idle_claim", "PersistentVolumeClaim idle")}


async def test_workloads_that_waste_their_requests_or_have_none_are_found(cluster: Desk) -> None:
    answer = await cluster.ask("audit", checks=["cost"], namespace="shop")
    found = rules(answer)
    assert ("overrequested", "Deployment catalog") in found
    assert ("no_requests", "Deployment banner") in found
    assert not any(name in {"Deployment web", "Deployment api"} for _, name in found)


async def test_checks_that_may_not_be_done_are_named_and_not_taken_for_healthy(
    viewer: Desk, nobody: Desk, scratch: Scratch
) -> None:
    make_workload(scratch, "bad", container={"image": "web:latest"})
    answer = await look(viewer, scratch, "rbac", "images", "certificates")
    assert rules(answer) == {("moving_tag", "Deployment bad")}
    assert [line.split(": ")[:3] for line in answer.result.partial] == [
        ["rbac", "not done", "forbidden"],
        ["certificates", "not done", "forbidden"],
    ]
    assert "rbac\t" not in answer.text
    answer = await look(nobody, scratch)
    assert not answer.rows
    assert len({line.partition(":")[0] for line in answer.result.partial}) == 11
    assert "CHECK\t" not in answer.text


async def test_findings_are_counted_by_check_and_the_worst_come_first(cluster: Desk, scratch: Scratch) -> None:
    make_workload(scratch, "bad", hostPID=True, container={"image": "web:latest"})
    answer = await look(cluster, scratch, "pod_security", "images")
    assert "CHECK\tCRITICAL\tWARNING\tINFO\npod_security\t1\t1\t0\nimages\t0\t1\t0\n" in answer.text
    assert [row[0] for row in answer.rows] == ["critical", "warning", "warning"]
    usual = await cluster.ask("audit", namespace=scratch.namespace, checks=["pod_security"], min_severity="critical")
    assert [row[0] for row in usual.rows] == ["critical"]
    assert "not shown: 1 finding below critical" in usual.text


async def test_a_cursor_goes_on_where_the_answer_ended(cluster: Desk, scratch: Scratch) -> None:
    for number in range(5):
        make_workload(scratch, f"web-{number}", container={"image": "web:latest"})
    asked: dict[str, object] = {"namespace": scratch.namespace, "checks": ["images"], "limit": 2}
    answer = await cluster.ask("audit", **asked)
    seen = [row[3] for row in answer.rows]
    while answer.cursor:
        answer = await cluster.ask("audit", **asked, cursor=answer.cursor)
        seen += [row[3] for row in answer.rows]
    assert seen == [f"Deployment {scratch.namespace}/web-{number}" for number in range(5)]


async def test_namespaces_of_kubernetes_itself_are_left_out_unless_asked_for(cluster: Desk, scratch: Scratch) -> None:
    name = f"audit-{uuid.uuid4().hex[:8]}"
    path = f"/api/v1/namespaces/kube-public/configmaps/{name}"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "kube-public"}}
    scratch.api.apply(body | {"data": {"password": "x"}})
    try:
        asked: dict[str, object] = {"checks": ["secrets"], "limit": 200}
        without = await cluster.ask("audit", **asked)
        included = await cluster.ask("audit", **asked, include_system=True)
        named = await cluster.ask("audit", **asked, namespace="kube-public")
    finally:
        scratch.api.delete(path)
    assert name not in without.text
    assert "see include_system" in without.text
    assert name in included.text
    assert name in named.text


async def test_a_namespace_that_does_not_exist_is_told(cluster: Desk) -> None:
    error = await error_of(cluster.ask("audit", namespace="nowhere"))
    assert error.code == "not_found"


async def test_a_walk_that_is_cut_is_told(cluster: Desk, scratch: Scratch) -> None:
    for number in range(5):
        scratch.make("ConfigMap", f"map-{number}", data={"password": "x"})
    client = cast("KubernetesService", cluster.service).client("lab")
    now, deadline = datetime.now(UTC), Deadline.after(10.0)
    reader = Reader(client, scratch.namespace, include_system=False, now=now, deadline=deadline, most=2)
    assert len(await reader.objects(CONFIG_MAPS)) == 2
    assert len(await reader.objects(CONFIG_MAPS)) == 2
    assert reader.notes == ["configmaps: only the first 2 were looked at"]
