"""kubernetes_action on the lab's cluster, read back with the API and compared with kubectl."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.probes import wait_until
from tests.promises import promise
from tests.services.kubernetes.clusters import clusters, error_of
from tests.services.kubernetes.kubectl import kubectl
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from collections.abc import Generator

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch

RESTARTED = "kubectl.kubernetes.io/restartedAt"
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
WORKLOADS = [("Deployment", "deployments"), ("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")]


async def act(desk: Desk, scratch: Scratch, action: str, name: str = "web", **arguments: object) -> Answer:
    """Do an operation in the test's namespace; of a Deployment unless said otherwise."""
    return await desk.ask(
        "action", **{"kind": "deployment", "namespace": scratch.namespace, **arguments, "name": name, "action": action}
    )


def make(scratch: Scratch, kind: str, name: str) -> None:
    """A workload of one of the three kinds; a DaemonSet with no node to run on."""
    fields = deployment(name)
    if kind != "Deployment":
        del fields["spec"]["replicas"]
    if kind == "StatefulSet":
        fields["spec"]["serviceName"] = name
    if kind == "DaemonSet":
        fields["spec"]["template"]["spec"]["nodeSelector"] = {"nowhere": "at-all"}
    scratch.make(kind, name, **fields)


def revisions(scratch: Scratch, kind: str, name: str) -> int:
    """How many revisions of a workload are held."""
    held = "replicasets" if kind == "Deployment" else "controllerrevisions"
    return sum(one["metadata"]["labels"]["app"] == name for one in scratch.api.items(scratch.path("apps/v1", held)))


def change_image(scratch: Scratch, kind: str, plural: str, name: str, tag: str, cause: str = "") -> None:
    """Begin a new revision, and wait until it is held."""
    before = revisions(scratch, kind, name)
    change: dict[str, Any] = {
        "spec": {"template": {"spec": {"containers": [{"name": "main", "image": f"registry.example.com/web:{tag}"}]}}}
    }
    if cause:
        change["metadata"] = {"annotations": {"kubernetes.io/change-cause": cause}}
    scratch.api.merge(scratch.path("apps/v1", plural, name), change)
    wait_until("the new revision", lambda: revisions(scratch, kind, name) == before + 1, within=30)


def template(scratch: Scratch, plural: str, name: str) -> dict[str, Any]:
    """The pod template as the API has it."""
    found: dict[str, Any] = scratch.read("apps/v1", plural, name)["spec"]["template"]
    return found


@pytest.mark.parametrize(("kind", "plural"), WORKLOADS)
async def test_a_restart_changes_what_kubectl_changes(
    lab: LabEnv, cluster: Desk, scratch: Scratch, kind: str, plural: str
) -> None:
    for name in ("ours", "theirs"):
        make(scratch, kind, name)
    answer = await act(cluster, scratch, "restart", "ours", kind=kind)
    await kubectl(lab, "rollout", "restart", f"{kind}/theirs", "-n", scratch.namespace)
    ours, theirs = (template(scratch, plural, name)["metadata"] for name in ("ours", "theirs"))
    assert ours["annotations"].keys() == theirs["annotations"].keys() == {RESTARTED}
    assert f"did restart of {kind} ours in namespace {scratch.namespace}" in answer.text
    assert "undo: action undo" in answer.text


async def test_a_restart_is_waited_for(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    answer = await act(cluster, scratch, "restart", wait_seconds=60)
    assert "ready: met" in answer.text
    assert scratch.read("apps/v1", "deployments", "web")["status"]["updatedReplicas"] == 1


@pytest.mark.parametrize(("kind", "plural"), WORKLOADS)
async def test_undo_goes_back_to_where_kubectl_goes_back(
    lab: LabEnv, cluster: Desk, scratch: Scratch, kind: str, plural: str
) -> None:
    for name in ("ours", "theirs"):
        make(scratch, kind, name)
        wait_until("the first revision", lambda name=name: revisions(scratch, kind, name) == 1, within=30)
        change_image(scratch, kind, plural, name, "2.0", cause="second")
        change_image(scratch, kind, plural, name, "3.0", cause="third")
    answer = await act(cluster, scratch, "undo", "ours", kind=kind)
    await kubectl(lab, "rollout", "undo", f"{kind}/theirs", "-n", scratch.namespace)
    ours, theirs = (template(scratch, plural, name) for name in ("ours", "theirs"))
    assert ours["spec"] == theirs["spec"]
    assert ours["spec"]["containers"][0]["image"] == "registry.example.com/web:2.0"
    assert "pod-template-hash" not in ours["metadata"]["labels"]
    causes = [
        scratch.read("apps/v1", plural, name)["metadata"]["annotations"]["kubernetes.io/change-cause"]
        for name in ("ours", "theirs")
    ]
    assert causes[0] == causes[1]
    assert "back to revision 2" in answer.text


async def test_undo_takes_the_revision_asked_for_and_names_the_held_ones_otherwise(
    cluster: Desk, scratch: Scratch
) -> None:
    make(scratch, "Deployment", "web")
    wait_until("the first revision", lambda: revisions(scratch, "Deployment", "web") == 1, within=30)
    error = await error_of(act(cluster, scratch, "undo"))
    assert (error.code, "held: 1" in error.text) == ("revision_not_found", True)
    for tag in ("2.0", "3.0"):
        change_image(scratch, "Deployment", "deployments", "web", tag)
    error = await error_of(act(cluster, scratch, "undo", revision="9"))
    assert (error.code, "held: 1, 2, 3" in error.text) == ("revision_not_found", True)
    await act(cluster, scratch, "undo", revision="1")
    assert template(scratch, "deployments", "web")["spec"]["containers"][0]["image"].endswith(":1.0")


async def test_a_paused_rollout_is_neither_restarted_nor_undone_until_it_is_resumed(
    cluster: Desk, scratch: Scratch
) -> None:
    make(scratch, "Deployment", "web")
    await act(cluster, scratch, "pause")
    assert scratch.read("apps/v1", "deployments", "web")["spec"]["paused"] is True
    for action in ("restart", "undo"):
        assert (await error_of(act(cluster, scratch, action))).code == "paused"
    assert "nothing to do for pause" in (await act(cluster, scratch, "pause")).text
    await act(cluster, scratch, "resume")
    assert "paused" not in scratch.read("apps/v1", "deployments", "web")["spec"]
    await act(cluster, scratch, "restart")
    assert RESTARTED in template(scratch, "deployments", "web")["metadata"]["annotations"]


async def test_a_dry_run_changes_nothing(cluster: Desk, scratch: Scratch) -> None:
    made = scratch.make("Deployment", "web", **deployment("web"))
    answer = await act(cluster, scratch, "restart", dry_run=True)
    assert answer.text.startswith("would do restart")
    assert "undo: action undo" in answer.text
    assert RESTARTED in answer.text
    assert scratch.read("apps/v1", "deployments", "web")["metadata"]["generation"] == made["metadata"]["generation"]


def cron_job(scratch: Scratch) -> None:
    """A CronJob that never runs by itself."""
    pod = {"containers": [{"name": "main", "image": "registry.example.com/job:1.0"}], "restartPolicy": "Never"}
    job = {
        "metadata": {"labels": {"team": "data"}, "annotations": {"note": "kept"}},
        "spec": {"backoffLimit": 2, "template": {"spec": pod}},
    }
    scratch.make("CronJob", "nightly", group_version="batch/v1", spec={"schedule": "0 0 31 2 *", "jobTemplate": job})


async def test_a_triggered_job_is_the_one_kubectl_makes(lab: LabEnv, cluster: Desk, scratch: Scratch) -> None:
    cron_job(scratch)
    answer = await act(cluster, scratch, "trigger", "nightly", kind="cronjob")
    (ours,) = scratch.api.items(scratch.path("batch/v1", "jobs"))
    assert f"created Job {ours['metadata']['name']}" in answer.text
    await kubectl(lab, "create", "job", "theirs", "--from=cronjob/nightly", "-n", scratch.namespace)
    theirs = scratch.read("batch/v1", "jobs", "theirs")
    for part in ("annotations", "ownerReferences"):
        assert ours["metadata"][part] == theirs["metadata"][part]
    assert ours["metadata"]["labels"] == {"team": "data"} == theirs["metadata"]["labels"]
    assert ours["spec"].keys() == theirs["spec"].keys()
    assert ours["spec"]["backoffLimit"] == 2


async def test_a_cron_job_is_suspended_and_resumed(cluster: Desk, scratch: Scratch) -> None:
    cron_job(scratch)
    for action, suspended in (("suspend", True), ("resume", False)):
        await act(cluster, scratch, action, "nightly", kind="cronjob")
        assert scratch.read("batch/v1", "cronjobs", "nightly")["spec"]["suspend"] is suspended


async def test_a_job_runs_again_as_a_copy_of_its_own(cluster: Desk, scratch: Scratch) -> None:
    pod = {"containers": [{"name": "main", "image": "registry.example.com/job:1.0"}], "restartPolicy": "Never"}
    spec = {"template": {"metadata": {"labels": {"app": "import"}}, "spec": pod}, "suspend": True}
    scratch.make("Job", "import", group_version="batch/v1", metadata={"labels": {"team": "data"}}, spec=spec)
    await act(cluster, scratch, "resume", "import", kind="job")
    assert scratch.read("batch/v1", "jobs", "import")["spec"]["suspend"] is False
    await act(cluster, scratch, "suspend", "import", kind="job")
    answer = await act(cluster, scratch, "rerun", "import", kind="job", wait_seconds=60)
    first, copy = sorted(
        scratch.api.items(scratch.path("batch/v1", "jobs")), key=lambda one: len(one["metadata"]["name"])
    )
    assert copy["metadata"]["name"].startswith("import-rerun-")
    assert copy["metadata"]["labels"]["team"] == "data"
    assert copy["spec"]["selector"] != first["spec"]["selector"]
    assert copy["spec"]["template"]["spec"]["containers"] == first["spec"]["template"]["spec"]["containers"]
    assert "ready: met" in answer.text
    assert first["spec"]["suspend"] is True


@pytest.fixture
def node(scratch: Scratch) -> Generator[str]:
    """A node that nothing runs on and that nobody else uses."""
    name = f"node-{uuid.uuid4().hex[:8]}"
    taint = {"key": "tests/only", "effect": "NoSchedule"}
    scratch.api.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"taints": [taint]}})
    yield name
    scratch.api.delete(f"/api/v1/nodes/{name}")


async def test_a_node_is_cordoned_and_uncordoned_as_kubectl_does(
    lab: LabEnv, cluster: Desk, scratch: Scratch, node: str
) -> None:
    def unschedulable() -> bool:
        return bool(scratch.api.get(f"/api/v1/nodes/{node}")["spec"].get("unschedulable"))

    await cluster.ask("action", kind="node", name=node, action="cordon")
    assert unschedulable()
    assert "already cordoned" in await kubectl(lab, "cordon", node)
    await cluster.ask("action", kind="node", name=node, action="uncordon")
    assert not unschedulable()
    assert "already uncordoned" in await kubectl(lab, "uncordon", node)


@pytest.fixture
def request_name(scratch: Scratch) -> Generator[str]:
    """A request for a certificate that waits for a decision."""
    name = f"request-{uuid.uuid4().hex[:8]}"
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tester")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    spec = {
        "request": base64.b64encode(asked.public_bytes(serialization.Encoding.PEM)).decode(),
        "signerName": "example.com/tests",
        "usages": ["client auth"],
    }
    scratch.api.request(
        "POST",
        CSRS,
        {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": spec,
        },
    )
    yield name
    scratch.api.delete(f"{CSRS}/{name}")


def decisions(scratch: Scratch, name: str) -> list[str]:
    """What was decided on a request."""
    conditions: list[dict[str, str]] = scratch.api.get(f"{CSRS}/{name}")["status"].get("conditions", [])
    return [one["type"] for one in conditions]


@promise("S19")
async def test_a_certificate_is_approved_only_where_the_operator_permits_it(
    lab: LabEnv, cluster: Desk, scratch: Scratch, request_name: str
) -> None:
    error = await error_of(cluster.ask("action", kind="csr", name=request_name, action="approve"))
    assert error.code == "denied_by_policy"
    assert "approve_certificates" in error.text
    assert decisions(scratch, request_name) == []
    async with clusters(lab=lab.kubeconfig_admin, policy={"allow": ["approve_certificates"]}) as permitted:
        answer = await permitted.ask("action", kind="csr", name=request_name, action="approve")
        assert "cannot be taken back" in answer.text
        assert decisions(scratch, request_name) == ["Approved"]
        error = await error_of(permitted.ask("action", kind="csr", name=request_name, action="deny"))
    assert error.code == "conflict"
    assert decisions(scratch, request_name) == ["Approved"]


def certificate() -> bytes:
    """A certificate as a signer would put it into a request."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tester")])
    begins = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


async def test_an_approved_request_is_ready_when_its_certificate_is_there(
    lab: LabEnv, scratch: Scratch, request_name: str
) -> None:
    asked: dict[str, object] = {"kind": "csr", "name": request_name, "action": "approve", "wait_seconds": 1}
    async with clusters(lab=lab.kubeconfig_admin, policy={"allow": ["approve_certificates"]}) as permitted:
        answer = await permitted.ask("action", **asked)  # nobody signs for the signer of this test
        assert "ready: not met within 1 s" in answer.text
        assert "approved, not issued yet" in answer.text
        signed = {"status": {"certificate": base64.b64encode(certificate()).decode()}}
        scratch.api.merge(f"{CSRS}/{request_name}/status", signed)
        waited = await permitted.ask("wait", kind="csr", name=request_name, until="ready", timeout_seconds=30)
    assert "issued" in waited.text
    assert "met after" in waited.text


async def test_a_request_that_was_denied_is_not_waited_for(cluster: Desk, request_name: str) -> None:
    denied = await cluster.ask("action", kind="csr", name=request_name, action="deny", wait_seconds=600)
    assert "did not wait: nothing follows deny" in denied.text
    waited = await cluster.ask("wait", kind="csr", name=request_name, until="ready", timeout_seconds=300)
    assert "impossible: denied" in waited.text


async def test_a_suspended_job_is_not_waited_for_until_it_is_complete(cluster: Desk, scratch: Scratch) -> None:
    pod = {
        "containers": [{"name": "main", "image": "registry.example.com/job:1.0"}],
        "restartPolicy": "Never",
        "nodeSelector": {"nowhere": "at-all"},
    }
    scratch.make("Job", "import", group_version="batch/v1", spec={"template": {"spec": pod}})
    answer = await act(cluster, scratch, "suspend", "import", kind="job", wait_seconds=60)
    assert "condition=Suspended: met" in answer.text


async def test_a_copy_of_a_job_bears_no_mark_by_which_a_tool_would_prune_it(cluster: Desk, scratch: Scratch) -> None:
    pod = {"containers": [{"name": "main", "image": "registry.example.com/job:1.0"}], "restartPolicy": "Never"}
    marks = {
        "labels": {"app.kubernetes.io/managed-by": "Helm", "argocd.argoproj.io/instance": "shop", "team": "data"},
        "annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "x", "note": "kept"},
    }
    scratch.make("Job", "import", group_version="batch/v1", metadata=marks, spec={"template": {"spec": pod}})
    await act(cluster, scratch, "rerun", "import", kind="job")
    (copy,) = [
        one for one in scratch.api.items(scratch.path("batch/v1", "jobs")) if one["metadata"]["name"] != "import"
    ]
    assert copy["metadata"]["labels"]["team"] == "data"
    assert copy["metadata"]["annotations"]["note"] == "kept"
    kept = {*copy["metadata"]["labels"], *copy["metadata"]["annotations"]}
    assert not kept & {*marks["labels"], *marks["annotations"]} - {"team", "note"}


def privileged_before(scratch: Scratch) -> None:
    """A Deployment whose first revision is privileged, and whose second is not."""
    fields = deployment("web", replicas=0)
    container = fields["spec"]["template"]["spec"]["containers"][0]
    container["securityContext"] = {"privileged": True}
    scratch.make("Deployment", "web", **fields)
    wait_until("the first revision", lambda: revisions(scratch, "Deployment", "web") == 1, within=30)
    change = {"name": "main", "image": container["image"], "securityContext": {"privileged": None}}
    path = scratch.path("apps/v1", "deployments", "web")
    scratch.api.merge(path, {"spec": {"template": {"spec": {"containers": [change]}}}})
    wait_until("the second revision", lambda: revisions(scratch, "Deployment", "web") == 2, within=30)


@pytest.mark.parametrize("dry_run", [True, False])
async def test_undo_to_a_template_the_policy_refuses_is_refused_in_a_dry_run_too(
    cluster: Desk, scratch: Scratch, dry_run: bool
) -> None:
    privileged_before(scratch)
    error = await error_of(act(cluster, scratch, "undo", dry_run=dry_run))
    assert (error.code, "privileged" in error.text) == ("denied_by_policy", True)
    (container,) = template(scratch, "deployments", "web")["spec"]["containers"]
    assert "privileged" not in container.get("securityContext", {})


@pytest.mark.parametrize("action", ["undo", "trigger", "rerun", "cordon"])
async def test_a_dry_run_of_any_operation_leaves_everything_as_it_was(
    cluster: Desk, scratch: Scratch, node: str, action: str
) -> None:
    pod = {"containers": [{"name": "main", "image": "registry.example.com/job:1.0"}], "restartPolicy": "Never"}
    scratch.make("Job", "import", group_version="batch/v1", spec={"template": {"spec": pod}, "suspend": True})
    cron_job(scratch)
    make(scratch, "Deployment", "web")
    wait_until("the first revision", lambda: revisions(scratch, "Deployment", "web") == 1, within=30)
    change_image(scratch, "Deployment", "deployments", "web", "2.0")
    kind, name = {
        "undo": ("deployment", "web"),
        "trigger": ("cronjob", "nightly"),
        "rerun": ("job", "import"),
        "cordon": ("node", node),
    }[action]
    answer = await cluster.ask("action", kind=kind, name=name, action=action, dry_run=True, namespace=scratch.namespace)
    assert answer.text.startswith(f"would do {action}")
    assert template(scratch, "deployments", "web")["spec"]["containers"][0]["image"].endswith(":2.0")
    assert [one["metadata"]["name"] for one in scratch.api.items(scratch.path("batch/v1", "jobs"))] == ["import"]
    assert not scratch.api.get(f"/api/v1/nodes/{node}")["spec"].get("unschedulable")


async def test_a_certificate_is_denied(cluster: Desk, scratch: Scratch, request_name: str) -> None:
    await cluster.ask("action", kind="csr", name=request_name, action="deny")
    assert decisions(scratch, request_name) == ["Denied"]


async def test_an_operation_the_kind_has_not_is_answered_with_those_it_has(cluster: Desk, scratch: Scratch) -> None:
    make(scratch, "StatefulSet", "db")
    error = await error_of(act(cluster, scratch, "pause", "db", kind="statefulset"))
    assert error.code == "unsupported_action"
    assert "restart, undo" in error.text
    error = await error_of(act(cluster, scratch, "trigger", "db", kind="configmap"))
    assert "CronJob" in error.text


async def test_a_revision_where_none_is_meant_is_refused(cluster: Desk, scratch: Scratch) -> None:
    error = await error_of(act(cluster, scratch, "restart", revision="1"))
    assert (error.code, error.text.startswith("revision: ")) == ("invalid_argument", True)
    make(scratch, "Deployment", "web")
    for odd in ("latest", "9" * 5_000, "\u0663"):
        error = await error_of(act(cluster, scratch, "undo", revision=odd))
        assert error.text.startswith("revision: ")


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({"annotations": {"meta.helm.sh/release-name": "shop"}}, "Helm release shop"),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:x/web"}}, "Argo CD application shop"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "shop"}}, "Flux Kustomization shop"),
    ],
)
async def test_who_sets_the_object_back_is_warned_of(
    cluster: Desk, scratch: Scratch, metadata: dict[str, Any], owner: str
) -> None:
    scratch.make("Deployment", "web", metadata=metadata, **deployment("web"))
    answer = await act(cluster, scratch, "restart")
    assert f"managed: {owner} owns this object" in answer.text


async def test_an_object_that_is_not_there_is_named_with_near_ones(cluster: Desk, scratch: Scratch) -> None:
    make(scratch, "Deployment", "web")
    error = await error_of(act(cluster, scratch, "restart", "wep"))
    assert (error.code, "near: web" in error.text) == ("not_found", True)


async def test_a_user_without_the_right_is_told(viewer: Desk, scratch: Scratch) -> None:
    make(scratch, "Deployment", "web")
    error = await error_of(act(viewer, scratch, "restart"))
    assert error.code == "forbidden"
    assert "annotations" not in template(scratch, "deployments", "web")["metadata"]


async def test_nothing_of_kubernetes_own_namespaces_is_operated_on(cluster: Desk) -> None:
    error = await error_of(
        cluster.ask("action", kind="deployment", name="metrics-server", namespace="kube-system", action="restart")
    )
    assert (error.code, "kube-system" in error.text) == ("denied_by_policy", True)
