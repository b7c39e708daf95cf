"""The operator's fence on the lab's cluster, asked by an administrator who may do everything there."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from cloud_native_mcp.backends.kubernetes.cluster_config import ClusterConfig
from cloud_native_mcp.errors import ToolError
from lab import scene
from lab.probes import wait_until
from tests.services.kubernetes.clusters import clusters, error_of
from tests.services.kubernetes.kubectl import kubectl
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

pytestmark = pytest.mark.lab
SETTING = "kubernetes.targets.lab.fence"
PERMITS = {"allow": ["drain_nodes", "reveal_secrets", "delete_cluster_objects", "system_namespaces"]}


@contextlib.asynccontextmanager
async def fenced(
    lab: LabEnv, *allow: dict[str, object], deny: Sequence[dict[str, object]] = ()
) -> AsyncGenerator[Desk]:
    """The service inside a fence of these rules, all that needs a permit permitted."""
    fence = {"allow": list(allow), "deny": list(deny)}
    async with clusters(lab=lab.kubeconfig_admin, policy=PERMITS, fence=fence) as running:
        yield running


async def denied(desk: Desk, tool: str, **arguments: object) -> str:
    """The text of the refusal by the fence."""
    error = await error_of(desk.ask(tool, **arguments))
    assert error.code == "denied_by_policy", error
    assert SETTING in error.text
    return error.text


async def confirmed(desk: Desk, **arguments: object) -> str:
    """What a deletion says once its plan is confirmed."""
    plan = await desk.ask("delete", **arguments)
    try:
        return (await desk.ask("delete", confirm=plan.result.confirm, **arguments)).text
    except ToolError as error:
        return str(error)


async def names(lab: LabEnv, *arguments: str) -> list[str]:
    """``namespace/name`` of what kubectl lists, in its order."""
    template = '{range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}'
    return (await kubectl(lab, "get", *arguments, "-o", f"jsonpath={template}")).split()


async def test_a_list_over_all_namespaces_is_that_of_the_namespaces_let_through_in_order(lab: LabEnv) -> None:
    expected = [one for one in await names(lab, "pods", "-A") if one.split("/")[0] in {scene.BATCH, scene.SHOP}]
    async with fenced(lab, {"namespaces": [scene.SHOP, scene.BATCH]}) as desk:
        answer = await desk.ask("list", kind="pods", columns="name", limit=500)
    assert ["/".join(row[:2]) for row in answer.rows] == expected
    assert f"in all namespaces within the fence (only everything in {scene.SHOP}, {scene.BATCH})" in answer.text


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_small_pages_walk_all_namespaces_let_through_exactly_once(lab: LabEnv, limit: int) -> None:
    hidden = ("kube-", "t-")  # of Kubernetes itself, and of tests, which come and go
    expected = [one for one in await names(lab, "configmaps", "-A") if not one.startswith(hidden)]
    seen: list[str] = []
    async with fenced(lab, deny=[{"namespaces": [f"{one}*" for one in hidden]}]) as desk:
        answer = await desk.ask("list", kind="configmaps", columns="name", limit=limit)
        seen += ["/".join(row[:2]) for row in answer.rows]
        while answer.cursor:
            answer = await desk.ask("list", kind="configmaps", columns="name", limit=limit, cursor=answer.cursor)
            assert answer.rows
            seen += ["/".join(row[:2]) for row in answer.rows]
    assert seen == expected


async def test_the_namespaces_themselves_are_listed_as_far_as_they_are_let_through(lab: LabEnv) -> None:
    async with fenced(lab, {"namespaces": ["s*", scene.PAYMENTS]}) as desk:
        answer = await desk.ask("list", kind="namespaces")
        assert [row[0] for row in answer.rows] == [scene.PAYMENTS, scene.SHOP]
        assert scene.SHOP in (await desk.ask("get", kind="namespace", name=scene.SHOP)).text
        await denied(desk, "get", kind="namespace", name=scene.BATCH)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list", {"kind": "pods", "namespace": scene.PAYMENTS}),
        ("list", {"kind": "pods", "namespace": scene.PAYMENTS, "sort_by": "AGE"}),
        ("list", {"kind": "pods", "namespace": scene.PAYMENTS, "fields": [".spec.nodeName"]}),
        ("list", {"kind": "nodes"}),
        ("list", {"kind": "customresourcedefinitions", "count_by": ".spec.scope"}),
        ("get", {"kind": "deploy", "name": scene.CRASH_LOOP.name, "namespace": scene.PAYMENTS}),
        ("get", {"kind": "node", "name": scene.UNDRAINABLE_NODE}),
        ("events", {"namespace": scene.PAYMENTS}),
        ("logs", {"name": "web", "namespace": scene.PAYMENTS}),
        ("logs", {"label_selector": "app=worker", "namespace": scene.PAYMENTS}),
        ("logs", {"kind": "node", "name": scene.UNDRAINABLE_NODE}),
        ("rollout", {"name": scene.CRASH_LOOP.name, "namespace": scene.PAYMENTS}),
        ("diagnose", {"kind": "deploy", "name": scene.CRASH_LOOP.name, "namespace": scene.PAYMENTS}),
        ("wait", {"kind": "pods", "label_selector": "a=b", "until": "ready", "namespace": scene.PAYMENTS}),
        ("wait", {"kind": "node", "name": scene.UNDRAINABLE_NODE, "until": "ready"}),
        ("access", {"view": "who_can", "verb": "get", "resource": "secrets", "namespace": scene.SHOP}),
        ("top", {"by": "nodes"}),
        ("apply", {"manifest": "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: payments}}"}),
        ("apply", {"manifest": "{apiVersion: v1, kind: Namespace, metadata: {name: fresh}}", "dry_run": True}),
        ("patch", {"kind": "cm", "name": "x", "namespace": scene.PAYMENTS, "labels": ["a=b"], "dry_run": True}),
        ("scale", {"name": scene.CRASH_LOOP.name, "namespace": scene.PAYMENTS, "replicas": 2, "dry_run": True}),
        ("action", {"kind": "deploy", "name": "worker", "namespace": scene.PAYMENTS, "action": "restart"}),
        ("action", {"kind": "node", "name": scene.UNDRAINABLE_NODE, "action": "cordon"}),
        ("delete", {"kind": "deploy", "name": scene.CRASH_LOOP.name, "namespace": scene.PAYMENTS}),
        ("delete", {"kind": "namespace", "name": scene.PAYMENTS}),
        ("drain", {"name": scene.UNDRAINABLE_NODE}),
        ("exec", {"namespace": scene.PAYMENTS, "name": "web", "command": ["true"]}),
        ("connect", {"kind": "pod", "name": "web", "namespace": scene.PAYMENTS, "port": "80"}),
        ("connect", {"name": scene.NO_ENDPOINTS.name, "namespace": scene.PAYMENTS, "port": "80", "path": "/a//b"}),
        ("secret_reveal", {"name": "x", "namespace": scene.PAYMENTS, "keys": ["a"]}),
        (
            "diff",
            {"mode": "objects", "kind": "cm", "name": "a", "other_name": "b", "namespace": scene.PAYMENTS},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(str(part) for part in value.values())[:60],
)
async def test_no_tool_reaches_beyond_the_namespaces_let_through(
    lab: LabEnv, tool: str, arguments: dict[str, object]
) -> None:
    async with fenced(lab, {"namespaces": [scene.SHOP]}) as desk:
        await denied(desk, tool, **arguments)


async def test_what_joins_several_kinds_goes_on_without_those_kept_back(lab: LabEnv) -> None:
    async with fenced(lab, {"namespaces": [scene.SHOP]}, deny=[{"kinds": ["secrets", "events"]}]) as desk:
        listed = await desk.ask("list", kind="configmaps,secrets,nodes", columns="name")
        assert {row[0] for row in listed.rows} == {scene.SHOP}
        assert "secrets on lab: denied_by_policy" in listed.text
        assert "nodes on lab: denied_by_policy" in listed.text
        shown = await desk.ask("get", kind="deploy", name=scene.HEALTHY.name, namespace=scene.SHOP)
        assert "events: not read (denied_by_policy)" in shown.text
        tree = await desk.ask("get", kind="deploy", name=scene.HEALTHY.name, namespace=scene.SHOP, view="tree")
        assert "ReplicaSet" in tree.text
        scanned = await desk.ask("diagnose")
        assert "denied_by_policy" in scanned.text
        assert f"{scene.PAYMENTS}/" not in scanned.text
        audited = await desk.ask("audit", checks=["rbac", "images"])
        assert "denied_by_policy" in audited.text
        assert f"{scene.PAYMENTS}/" not in audited.text


async def test_secrets_are_fenced_out_whole(lab: LabEnv) -> None:
    name = {"name": scene.OPAQUE_SECRET.name, "namespace": scene.SHOP}
    async with fenced(lab, deny=[{"kinds": ["secrets"]}]) as desk:
        for tool, arguments in (
            ("list", {"kind": "secrets"}),
            ("list", {"kind": "secrets", "namespace": scene.SHOP, "columns": "name"}),
            ("get", {"kind": "secret", **name}),
            ("get", {"kind": "v1/Secret", **name, "view": "yaml"}),
            ("secret_reveal", {**name, "keys": ["password"]}),
            ("wait", {"kind": "secrets", **name, "until": "exists"}),
            ("patch", {"kind": "secret", **name, "labels": ["a=b"], "dry_run": True}),
            ("delete", {"kind": "secret", **name}),
            ("apply", {"manifest": "{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: shop}}"}),
        ):
            await denied(desk, tool, **arguments)
        assert (await desk.ask("list", kind="pods")).rows


async def test_a_fence_of_reading_verbs_keeps_all_writes_back_even_dry_ones(lab: LabEnv, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "settings", data={"colour": "blue"})
    here = {"namespace": scratch.namespace}
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: new}}"
    async with fenced(lab, {"verbs": ["get", "list", "watch"]}) as desk:
        assert "colour" in (await desk.ask("get", kind="cm", name="settings", **here)).text
        assert "fence" not in (await desk.ask("access", verb="get", resource="pods", **here)).text
        may = await desk.ask("access", verb="delete", resource="pods", **here)
        assert may.text.endswith("but the fence of this server keeps it back: only get, list, watch of everything")
        text = await denied(desk, "patch", kind="cm", name="settings", labels=["a=b"], dry_run=True, **here)
        assert text.startswith(f"patch configmaps settings in {scratch.namespace} is kept back by {SETTING} (only get")
        await denied(desk, "apply", manifest=manifest, **here)
        await denied(desk, "diff", mode="manifest", manifest=manifest, **here)
        assert "denied_by_policy" in await confirmed(desk, kind="cm", name="settings", **here)
    assert scratch.there("v1", "configmaps", "settings")


async def test_an_apply_that_may_only_change_creates_nothing(lab: LabEnv, scratch: Scratch) -> None:
    manifest = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: new, namespace: {scratch.namespace}}}}}"
    async with fenced(lab, {"verbs": ["get", "list", "patch"]}) as desk:
        assert (await denied(desk, "apply", manifest=manifest)).startswith("create configmaps new")
    assert not scratch.there("v1", "configmaps", "new")


async def test_an_eviction_needs_the_right_to_delete(lab: LabEnv, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    pods = {"kind": "pod", "label_selector": "app=web", "namespace": scratch.namespace}
    wait_until("its pod", lambda: len(scratch.api.items(scratch.path("v1", "pods"))) == 1, within=10)
    async with fenced(lab, {"verbs": ["get", "list", "watch", "create"]}) as desk:
        for evict in (False, True):
            assert "delete pods web-" in await confirmed(desk, evict=evict, **pods)
    assert len(scratch.api.items(scratch.path("v1", "pods"))) == 1


async def test_one_subresource_is_kept_back_alone(lab: LabEnv) -> None:
    pod = {"name": scene.BARE_POD.name, "namespace": scene.SHOP}
    async with fenced(lab, deny=[{"kinds": ["pods/exec", "pods/log", "pods/portforward"]}]) as desk:
        assert (await denied(desk, "logs", **pod)).startswith("get pods/log")
        plan = await desk.ask("exec", command=["true"], **pod)
        text = await denied(desk, "exec", command=["true"], confirm=plan.result.confirm, **pod)
        assert text.startswith("create pods/exec")
        text = await denied(desk, "connect", mode="forward", kind="pod", port="8080", **pod)
        assert text.startswith("create pods/portforward")
        assert scene.BARE_POD.name in (await desk.ask("get", kind="pod", **pod)).text


@pytest.mark.parametrize("kinds", [["pods/proxy", "services/proxy"], ["pods", "services"]])
async def test_what_stands_behind_pods_and_services_is_kept_back_with_their_proxy(
    lab: LabEnv, kinds: list[str]
) -> None:
    async with fenced(lab, deny=[{"kinds": kinds}]) as desk:
        for kind, name in (("pod", scene.BARE_POD.name), ("service", scene.HEALTHY.name)):
            await denied(desk, "connect", kind=kind, name=name, namespace=scene.SHOP, port="80")


async def test_kubelets_have_to_be_named(lab: LabEnv) -> None:
    node = {"kind": "node", "name": scene.UNDRAINABLE_NODE, "container": "kubelet"}
    async with fenced(lab, deny=[{"namespaces": [scene.PAYMENTS]}]) as desk:
        assert (await denied(desk, "logs", **node)).startswith("get nodes/proxy")
        assert scene.UNDRAINABLE_NODE in (await desk.ask("get", kind="node", name=scene.UNDRAINABLE_NODE)).text
    async with fenced(lab, {}, {"kinds": ["nodes/proxy"], "verbs": ["get"]}) as desk:
        error = await error_of(desk.ask("logs", **node))
        assert error.code != "denied_by_policy"


async def test_a_node_is_not_drained_when_pods_on_it_are_out_of_sight(lab: LabEnv) -> None:
    async with fenced(lab, deny=[{"namespaces": [scene.PLATFORM]}]) as desk:
        assert "list pods in all namespaces" in await denied(desk, "drain", name=scene.UNDRAINABLE_NODE)
        described = await desk.ask("get", kind="node", name=scene.UNDRAINABLE_NODE)
        assert "pods: denied_by_policy" in described.text


async def test_each_cluster_has_its_own_fence_and_clusters_tells_it(lab: LabEnv) -> None:
    targets = {
        "open": {"kubeconfig": str(lab.kubeconfig_admin)},
        "closed": {
            "kubeconfig": str(lab.kubeconfig_admin),
            "fence": {"allow": [{"namespaces": [scene.SHOP]}], "deny": [{"kinds": ["secrets"]}]},
        },
    }
    async with clusters(settings={"targets": targets}) as desk:
        rows = {row[0].partition(" ")[0]: row for row in (await desk.ask("clusters")).rows}
        assert rows["open"][-1] == ""
        assert rows["closed"][-1] == f"only everything in {scene.SHOP}. never secrets"
        both = await desk.ask("list", kind="secrets", namespace=scene.SHOP, target="*", columns="name")
        assert {row[0] for row in both.rows} == {"open"}
        assert "secrets on closed: denied_by_policy" in both.text


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kinds": ["Secret"]}, "must be a plural with its group"),
        ({"namespaces": ["Shop"]}, "must be the name of a namespace"),
        ({"verbs": ["read"]}, "'get', 'list'"),
        ({"resources": ["pods"]}, "Extra inputs"),
    ],
)
def test_a_rule_that_would_never_fit_is_refused_at_the_start(rule: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ClusterConfig.model_validate({"fence": {"deny": [rule]}})
    assert words in str(caught.value)


async def test_many_lists_at_once_stay_inside(lab: LabEnv) -> None:
    async with fenced(lab, {"namespaces": [scene.SHOP, scene.BATCH]}) as desk:
        answers = await asyncio.gather(*(desk.ask("list", kind="all", columns="name") for _ in range(5)))
    assert {row[0] for answer in answers for row in answer.rows} <= {scene.SHOP, scene.BATCH}


async def test_samples_of_an_api_that_ignores_limits_come_once(lab: LabEnv) -> None:
    async with fenced(lab, {"namespaces": [scene.SHOP, scene.BATCH, scene.PAYMENTS]}) as desk:
        top = await desk.ask("top", limit=300)
    shown = [(row[0], row[1]) for row in top.rows]
    assert len(shown) == len(set(shown)) > 10
    assert {namespace for namespace, _ in shown} <= {scene.SHOP, scene.BATCH, scene.PAYMENTS}
