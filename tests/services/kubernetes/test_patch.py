"""kubernetes_patch on the lab's cluster, read back with the API."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.patching.documents import MAX_BYTES
from lab import CANARY
from tests.promises import promise
from tests.services.kubernetes.kubectl import kubectl
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch


async def change(desk: Desk, scratch: Scratch, kind: str = "cm", name: str = "settings", **arguments: object) -> Answer:
    """Patch an object of the test's namespace."""
    return await desk.ask("patch", kind=kind, name=name, namespace=scratch.namespace, **arguments)


async def refused(
    desk: Desk, scratch: Scratch, kind: str = "cm", name: str = "settings", **arguments: object
) -> ToolError:
    """The error of that."""
    with pytest.raises(ToolError) as caught:
        await change(desk, scratch, kind, name, **arguments)
    return caught.value


@pytest.fixture
def settings(scratch: Scratch) -> Scratch:
    """A namespace with a ConfigMap."""
    scratch.make("ConfigMap", "settings", data={"mode": "fast", "keep": "1"})
    return scratch


def data(scratch: Scratch) -> dict[str, str]:
    """What the ConfigMap holds."""
    return scratch.read("v1", "configmaps", "settings")["data"]


async def test_a_merge_patch_changes_what_it_names(cluster: Desk, settings: Scratch) -> None:
    answer = await change(cluster, settings, patch="data: {mode: slow}", patch_type="merge")
    assert "-  mode: fast" in answer.text
    assert data(settings) == {"mode": "slow", "keep": "1"}
    assert settings.read("v1", "configmaps", "settings")["metadata"]["resourceVersion"] in answer.text


async def test_a_patch_given_as_an_object_is_taken_as_its_text(cluster: Desk, settings: Scratch) -> None:
    await change(cluster, settings, patch={"data": {"mode": "slow"}})
    assert data(settings)["mode"] == "slow"


async def test_a_json_patch_applies_its_operations(cluster: Desk, settings: Scratch) -> None:
    operations = [{"op": "remove", "path": "/data/keep"}, {"op": "replace", "path": "/data/mode", "value": "slow"}]
    await change(cluster, settings, patch=json.dumps(operations), patch_type="json")
    assert data(settings) == {"mode": "slow"}


async def test_a_strategic_patch_merges_containers_by_name_as_kubectl_does(
    lab: LabEnv, cluster: Desk, scratch: Scratch
) -> None:
    body = json.dumps({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "example.com/new"}]}}}})
    for name in ("ours", "theirs"):
        scratch.make("Deployment", name, **deployment(name))
    answer = await change(cluster, scratch, "deploy", "ours", patch=body)
    await kubectl(lab, "patch", "deployment/theirs", "-n", scratch.namespace, "-p", body)
    ours, theirs = (
        scratch.read("apps/v1", "deployments", name)["spec"]["template"]["spec"] for name in ("ours", "theirs")
    )
    assert ours == theirs
    assert "a rollout started" in answer.text


async def test_labels_and_annotations_are_set_and_removed(cluster: Desk, settings: Scratch) -> None:
    await change(cluster, settings, labels=["team=core", "tier=front"], annotations=["note=a=b c"])
    await change(cluster, settings, labels=["team-"])
    metadata = settings.read("v1", "configmaps", "settings")["metadata"]
    assert metadata["labels"] == {"tier": "front"}
    assert metadata["annotations"] == {"note": "a=b c"}


async def test_a_change_that_is_none_says_so(cluster: Desk, settings: Scratch) -> None:
    answer = await change(cluster, settings, patch="data: {mode: fast}")
    assert answer.text.startswith("no change to ConfigMap settings")


async def test_a_dry_run_stores_nothing(cluster: Desk, settings: Scratch) -> None:
    answer = await change(cluster, settings, patch="data: {mode: slow}", dry_run=True)
    assert answer.text.startswith("would change")
    assert data(settings)["mode"] == "fast"


@promise("F10")
async def test_a_newer_object_is_refused_with_its_version(cluster: Desk, settings: Scratch) -> None:
    old = settings.read("v1", "configmaps", "settings")["metadata"]["resourceVersion"]
    settings.api.merge(settings.path("v1", "configmaps", "settings"), {"data": {"keep": "2"}})
    now = settings.read("v1", "configmaps", "settings")["metadata"]["resourceVersion"]
    for kind, body in (
        ("merge", "data: {mode: slow}"),
        ("json", '[{"op": "replace", "path": "/data/mode", "value": "slow"}]'),
    ):
        error = await refused(cluster, settings, patch=body, patch_type=kind, resource_version=old)
        assert (error.code, now in error.text) == ("conflict", True)
    assert data(settings)["mode"] == "fast"


@pytest.fixture
def node(scratch: Scratch) -> Iterator[str]:
    """A node of the test's own, on which nothing runs."""
    name = f"n-{uuid.uuid4().hex[:8]}"
    scratch.api.request("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
    yield name
    scratch.api.delete(f"/api/v1/nodes/{name}")


async def test_taints_are_set_and_removed_beside_those_of_others(cluster: Desk, scratch: Scratch, node: str) -> None:
    path = f"/api/v1/nodes/{node}"

    def ours() -> list[tuple[str, str]]:
        taints = scratch.api.get(path)["spec"].get("taints", [])
        return [(one["key"], one["effect"]) for one in taints if not one["key"].startswith("node.kubernetes.io/")]

    await cluster.ask("patch", kind="node", name=node, taints=["team=core:NoSchedule", "old:NoExecute"])
    assert ours() == [("team", "NoSchedule"), ("old", "NoExecute")]
    await cluster.ask("patch", kind="node", name=node, taints=["old:NoExecute-", "team=data:NoSchedule"])
    assert ours() == [("team", "NoSchedule")]
    with pytest.raises(ToolError, match="no such taint"):
        await cluster.ask("patch", kind="node", name=node, taints=["absent:NoSchedule-"])


async def test_subresources_are_patched(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    await change(
        cluster, scratch, "deploy", "web", subresource="scale", patch="spec: {replicas: 3}", patch_type="merge"
    )
    assert scratch.read("apps/v1", "deployments", "web")["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        ({}, "invalid_argument", "give either"),
        ({"patch": "data: {a: b}", "labels": ["a=b"]}, "invalid_argument", "give either"),
        ({"patch": "[1"}, "invalid_patch", "line"),
        ({"patch": "text"}, "invalid_patch", "must be an object"),
        ({"patch": "data: {}", "patch_type": "json"}, "invalid_patch", "list of operations"),
        ({"patch": "[{op: set, path: /a}]", "patch_type": "json"}, "invalid_patch", "op is none of"),
        ({"patch": "[{op: add, path: a}]", "patch_type": "json"}, "invalid_patch", "JSON pointer"),
        ({"patch": "[{op: remove, path: /data/absent}]", "patch_type": "json"}, "invalid_patch", "not there"),
        ({"patch": "[{op: test, path: /data/mode, value: x}]", "patch_type": "json"}, "invalid_patch", "test"),
        ({"patch": "bogus: 1"}, "unknown_field", "bogus"),
        ({"labels": ["team"]}, "invalid_argument", "key=value nor key-"),
        ({"labels": ["team=a b"]}, "invalid_argument", "no label value"),
        ({"labels": ["a=b", "a-"]}, "invalid_argument", "given twice"),
        ({"taints": ["a=b:NoSchedule"]}, "invalid_argument", "only nodes"),
        ({"patch": "a: " + "x" * MAX_BYTES}, "invalid_argument", "at most"),
    ],
)  # fmt: skip
async def test_a_patch_that_does_not_fit_is_refused_and_nothing_changes(
    cluster: Desk, settings: Scratch, arguments: dict[str, Any], code: str, why: str
) -> None:
    error = await refused(cluster, settings, **arguments)
    assert (error.code, why in error.text) == (code, True), error.text
    assert data(settings) == {"mode": "fast", "keep": "1"}


async def test_a_field_that_cannot_change_is_named(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    body = "spec: {selector: {matchLabels: {app: other}}, template: {metadata: {labels: {app: other}}}}"
    error = await refused(cluster, scratch, "deploy", "web", patch=body)
    assert error.code == "immutable_field"


async def test_a_custom_kind_takes_no_strategic_patch(cluster: Desk, scratch: Scratch) -> None:
    group = f"{scratch.namespace}.example.com"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    spec = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}"
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": scratch.namespace}}
    documents = (definition | {"metadata": {"name": f"widgets.{group}"}, "spec": spec}, widget | {"spec": {"a": 1}})
    try:
        await cluster.ask("apply", manifest="\n---\n".join(map(json.dumps, documents)))
        error = await refused(cluster, scratch, f"widgets.{group}", "w", patch="spec: {a: 2}", patch_type="strategic")
        assert (error.code, "patch_type merge" in error.text) == ("unsupported", True)
        await change(cluster, scratch, f"widgets.{group}", "w", patch="spec: {a: 2}")
        assert scratch.read(f"{group}/v1", "widgets", "w")["spec"] == {"a": 2}
    finally:
        scratch.api.delete(path)


@promise("S4")
async def test_a_secret_is_not_in_the_difference_nor_in_a_refusal(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Secret", "s", stringData={"password": CANARY})
    answer = await change(cluster, scratch, "secret", "s", labels=["a=b"])
    error = await refused(cluster, scratch, "secret", "s", patch="bogus: 1", patch_type="merge")
    assert CANARY not in answer.text + error.text
    assert error.code == "unknown_field"


@promise("S19")
async def test_a_patch_that_would_make_a_pod_privileged_is_refused(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    container = "{name: main, securityContext: {privileged: true}}"
    body = f"spec: {{template: {{spec: {{containers: [{container}]}}}}}}"
    error = await refused(cluster, scratch, "deploy", "web", patch=body)
    assert error.code == "denied_by_policy"
    main = scratch.read("apps/v1", "deployments", "web")["spec"]["template"]["spec"]["containers"][0]
    assert "securityContext" not in main or "privileged" not in main["securityContext"]
