"""kubernetes_apply on the lab's cluster, read back with the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.backends.kubernetes.manifests import MAX_BYTES, MAX_DOCUMENTS
from cloud_native_mcp.errors import ToolError
from lab import CANARY
from lab.probes import wait_until
from tests.promises import promise
from tests.services.kubernetes.clusters import clusters
from tests.services.kubernetes.kubectl import kubectl, kubectl_json
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{mode: {mode}}}\n"


def config(name: str = "settings", mode: str = "fast") -> str:
    """A ConfigMap."""
    return CONFIG.format(name=name, mode=mode)


def pod(spec: dict[str, object], name: str = "p") -> str:
    """A pod with one container and these fields."""
    whole = {"containers": [{"name": "main", "image": "example.com/x"}], **spec}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": whole})


async def refused(desk: Desk, scratch: Scratch, manifest: str, **arguments: object) -> ToolError:
    """The error of applying it in the test's namespace."""
    with pytest.raises(ToolError) as caught:
        await desk.ask("apply", manifest=manifest, namespace=scratch.namespace, **arguments)
    return caught.value


async def test_objects_are_created_then_unchanged_then_configured(cluster: Desk, scratch: Scratch) -> None:
    answers = [
        await cluster.ask("apply", manifest=config(mode=mode), namespace=scratch.namespace)
        for mode in ("fast", "fast", "slow")
    ]
    assert [answer.rows[0][1] for answer in answers] == ["created", "unchanged", "configured"]
    assert "-  mode: fast" in answers[2].text
    assert "+  mode: slow" in answers[2].text
    stored = scratch.read("v1", "configmaps", "settings")
    assert stored["data"] == {"mode": "slow"}
    assert stored["metadata"]["managedFields"][0]["manager"] == "cloud-native-mcp"


async def test_the_object_is_the_one_kubectl_makes(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    fields = deployment("ours", replicas=2)
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ours"}, "spec": fields["spec"]}
    await cluster.ask("apply", manifest=json.dumps(manifest), namespace=scratch.namespace)
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps({**manifest, "metadata": {"name": "theirs"}}), encoding="utf-8")
    await kubectl(lab, "apply", "--server-side", "-f", str(file), "-n", scratch.namespace)
    ours, theirs = [
        await kubectl_json(lab, "get", f"deployment/{name}", "-n", scratch.namespace) for name in ("ours", "theirs")
    ]
    assert ours["spec"] == theirs["spec"]


async def test_a_dry_run_stores_nothing(cluster: Desk, scratch: Scratch) -> None:
    answer = await cluster.ask("apply", manifest=config(), namespace=scratch.namespace, dry_run=True)
    assert answer.text.startswith("would apply 1 of 1")
    assert not scratch.there("v1", "configmaps", "settings")


async def test_documents_are_applied_in_an_order_that_works_and_lists_are_opened(
    cluster: Desk, scratch: Scratch
) -> None:
    name = f"{scratch.namespace}-own"
    inside = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: inside, namespace: {name}}}\n"
    listed = {"apiVersion": "v1", "kind": "List", "items": [json.loads(pod({}, "listed"))]}
    manifest = f"{json.dumps(listed)}\n---\n{inside}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"
    try:
        answer = await cluster.ask("apply", manifest=manifest, namespace=scratch.namespace)
        assert [row[0].split()[0] for row in answer.rows] == ["Namespace", "ConfigMap", "Pod"]
        assert scratch.api.find(f"/api/v1/namespaces/{name}/configmaps/inside") is not None
        assert scratch.there("v1", "pods", "listed")
    finally:
        scratch.api.delete(f"/api/v1/namespaces/{name}")


async def test_a_kind_that_the_manifest_itself_brings_is_applied_too(cluster: Desk, scratch: Scratch) -> None:
    group = f"{scratch.namespace}.example.com"
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": scratch.namespace}}
    manifest = f"{json.dumps(widget)}\n---\n{json.dumps(definition)}"
    try:
        answer = await cluster.ask("apply", manifest=manifest, namespace=scratch.namespace)
        assert [row[1] for row in answer.rows] == ["created", "created"], answer.text
        assert scratch.api.find(scratch.path(f"{group}/v1", "widgets", "w")) is not None
    finally:
        scratch.api.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")


async def test_a_name_that_the_server_makes_is_told(cluster: Desk, scratch: Scratch) -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: run-}\n"
    answer = await cluster.ask("apply", manifest=manifest, namespace=scratch.namespace)
    name = answer.rows[0][0].rpartition("/")[2]
    assert name.startswith("run-")
    assert scratch.there("v1", "configmaps", name)


async def test_one_bad_document_keeps_all_others_from_being_written(cluster: Desk, scratch: Scratch) -> None:
    manifest = f"{config()}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: other}}\nbogus: 1\n"
    error = await refused(cluster, scratch, manifest)
    assert error.code == "unknown_field"
    assert ".bogus" in error.text
    assert not scratch.there("v1", "configmaps", "settings")


async def test_what_is_done_before_a_late_failure_is_told(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ResourceQuota", "one", spec={"hard": {"count/secrets": "1"}})
    path = scratch.path("v1", "resourcequotas", "one")
    wait_until("count of the quota", lambda: "used" in scratch.api.get(path).get("status", {}), within=5)
    secrets = "---\n".join(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s{n}}}\n" for n in range(2))
    answer = await cluster.ask("apply", manifest=secrets, namespace=scratch.namespace)
    assert [row[1].partition(":")[0] for row in answer.rows] == ["created", "failed"]
    assert "quota_exceeded" in answer.rows[1][1]
    assert answer.text.startswith("applied 1 of 2")


@promise("F10")
async def test_a_field_of_another_manager_is_a_conflict_that_force_takes_over(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "settings", data={"mode": "theirs"})
    error = await refused(cluster, scratch, config(mode="ours"))
    assert error.code == "field_conflict"
    assert ".data.mode" in error.text
    assert '"lab"' in error.text
    assert scratch.read("v1", "configmaps", "settings")["data"] == {"mode": "theirs"}
    await cluster.ask("apply", manifest=config(mode="ours"), namespace=scratch.namespace, force_conflicts=True)
    assert scratch.read("v1", "configmaps", "settings")["data"] == {"mode": "ours"}


async def test_a_field_that_cannot_change_is_named(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "settings", data={"mode": "fast"}, immutable=True)
    error = await refused(cluster, scratch, config(mode="slow"), force_conflicts=True)
    assert error.code == "immutable_field"


async def test_a_missing_namespace_is_told_and_made_when_wanted(cluster: Desk, scratch: Scratch) -> None:
    name = f"{scratch.namespace}-new"
    with pytest.raises(ToolError) as caught:
        await cluster.ask("apply", manifest=config(), namespace=name)
    assert caught.value.code == "namespace_missing"
    try:
        answer = await cluster.ask("apply", manifest=config(), namespace=name, create_namespace=True)
        assert [row[1] for row in answer.rows] == ["created", "created"]
        assert scratch.api.find(f"/api/v1/namespaces/{name}/configmaps/settings") is not None
    finally:
        scratch.api.delete(f"/api/v1/namespaces/{name}")


async def test_a_dry_run_in_a_namespace_to_be_made_stores_nothing(cluster: Desk, scratch: Scratch) -> None:
    name = f"{scratch.namespace}-dry"
    answer = await cluster.ask("apply", manifest=config(), namespace=name, create_namespace=True, dry_run=True)
    assert f"Namespace {name}" in answer.text
    assert scratch.api.find(f"/api/v1/namespaces/{name}") is None


async def test_waiting_tells_what_became_ready(cluster: Desk, scratch: Scratch) -> None:
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    body = json.dumps(manifest | {"spec": deployment("web")["spec"]})
    answer = await cluster.ask("apply", manifest=body, namespace=scratch.namespace, wait_seconds=60)
    assert [f"Deployment {scratch.namespace}/web", "ready"] in answer.rows
    assert scratch.read("apps/v1", "deployments", "web")["status"]["readyReplicas"] == 1


@promise("B16")
@pytest.mark.parametrize(
    ("manifest", "code", "why"),
    [
        ("a: [", "invalid_yaml", "line"),
        ("a: &x [1]\nb: *x\n" + "\n".join(f"c{n}: &y{n} [*x, *x]" for n in range(3)), "invalid_argument", "apiVersion"),
        ("x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n" + "\n".join(
            f"x{n}: &x{n} [{','.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)), "invalid_yaml", "alias"),
        ("!!python/object/apply:os.system ['id']", "invalid_yaml", "tag"),
        ("kind: ConfigMap\nkind: Secret", "invalid_yaml", "twice"),
        ("---\n".join(["a: 1\n"] * 1_000), "invalid_yaml", "document"),
        ("- 1\n- 2\n", "invalid_argument", "no object"),
        ("just text", "invalid_argument", "no object"),
        ("", "invalid_argument", "no document"),
        ("kind: ConfigMap\nmetadata: {name: x}", "invalid_argument", "lacks apiVersion"),
        ("apiVersion: v1\nkind: ConfigMap", "invalid_argument", "lacks metadata.name"),
        ("apiVersion: v1\nkind: Nothing\nmetadata: {name: x}", "unknown_kind", "serves no Nothing"),
    ],
)  # fmt: skip
async def test_a_manifest_that_is_none_is_refused(
    cluster: Desk, scratch: Scratch, manifest: str, code: str, why: str
) -> None:
    error = await refused(cluster, scratch, manifest)
    assert (error.code, why in error.text) == (code, True), error.text


@promise("B16")
async def test_a_manifest_beyond_the_limits_is_refused(cluster: Desk, scratch: Scratch) -> None:
    long = await refused(cluster, scratch, "a: " + "x" * MAX_BYTES)
    assert f"at most {MAX_BYTES:,}" in long.text
    items = [json.loads(pod({}, f"p{n}")) for n in range(MAX_DOCUMENTS + 1)]
    many = await refused(cluster, scratch, json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    assert f"at most {MAX_DOCUMENTS}" in many.text


@promise("S4")
async def test_a_changed_secret_is_seen_to_change_and_not_seen(cluster: Desk, scratch: Scratch) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {value}}}\n"
    await cluster.ask("apply", manifest=secret.format(value="before"), namespace=scratch.namespace)
    answer = await cluster.ask("apply", manifest=secret.format(value=CANARY), namespace=scratch.namespace)
    assert answer.rows[0][1] == "configured"
    assert "sha" in answer.text
    assert CANARY not in answer.text


PRIVILEGED = {
    "privileged": pod({"containers": [{"name": "a", "image": "x", "securityContext": {"privileged": True}}]}),
    "host_path": pod({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
    "host_namespaces": pod({"hostNetwork": True}),
    "capabilities": pod(
        {"containers": [{"name": "a", "image": "x", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]}
    ),
}


@promise("S19")
@pytest.mark.parametrize("permit", list(PRIVILEGED))
async def test_power_over_a_node_is_refused_until_the_operator_allows_it(
    lab: LabEnv, cluster: Desk, scratch: Scratch, permit: str
) -> None:
    error = await refused(cluster, scratch, PRIVILEGED[permit])
    assert error.code == "denied_by_policy"
    assert permit in error.text
    assert not scratch.there("v1", "pods", "p")
    async with clusters(lab=lab.kubeconfig_admin, policy={"allow": [permit]}) as allowed:
        await allowed.ask("apply", manifest=PRIVILEGED[permit], namespace=scratch.namespace)
    assert scratch.there("v1", "pods", "p")


@promise("S19")
@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
async def test_a_template_is_judged_like_a_pod(cluster: Desk, scratch: Scratch, kind: str) -> None:
    spec = json.loads(PRIVILEGED["host_path"])["spec"]
    template: dict[str, object] = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    whole: dict[str, object] = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    if kind == "CronJob":
        whole = {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template}}}
    group = "apps/v1" if kind == "Deployment" else "batch/v1"
    manifest = json.dumps({"apiVersion": group, "kind": kind, "metadata": {"name": "w"}, "spec": whole})
    error = await refused(cluster, scratch, manifest)
    assert (error.code, "hostPath" in error.text) == ("denied_by_policy", True)


@promise("S19")
async def test_rights_over_the_cluster_are_refused(cluster: Desk, scratch: Scratch) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": scratch.namespace}
    binding = {"roleRef": role, "subjects": [subject]}
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    for kind, fields in (("ClusterRoleBinding", binding), ("ClusterRole", {"rules": rules})):
        meta = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": scratch.namespace}}
        error = await refused(cluster, scratch, json.dumps(meta | fields))
        assert error.code == "denied_by_policy"
        plural = f"{kind.lower()}s"
        assert scratch.api.find(f"/apis/rbac.authorization.k8s.io/v1/{plural}/{scratch.namespace}") is None


@promise("S19")
async def test_the_namespaces_of_kubernetes_itself_are_left_alone(cluster: Desk, scratch: Scratch) -> None:
    with pytest.raises(ToolError) as caught:
        await cluster.ask("apply", manifest=config(scratch.namespace), namespace="kube-system")
    assert caught.value.code == "denied_by_policy"
    assert scratch.api.find(f"/api/v1/namespaces/kube-system/configmaps/{scratch.namespace}") is None


async def test_a_user_without_the_right_is_refused_and_nothing_is_stored(viewer: Desk, scratch: Scratch) -> None:
    error = await refused(viewer, scratch, config())
    assert error.code == "forbidden"
    assert not scratch.there("v1", "configmaps", "settings")


async def test_a_refusal_of_pod_security_is_told(cluster: Desk, scratch: Scratch) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    scratch.api.merge(f"/api/v1/namespaces/{scratch.namespace}", {"metadata": {"labels": labels}})
    error = await refused(cluster, scratch, pod({}))
    assert error.code == "pod_security_denied"
