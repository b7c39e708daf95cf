"""kubernetes_delete on the lab's cluster, read back with the API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import ToolError
from lab.probes import wait_until
from tests.promises import promise
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch


GONE = {"metadata": {"deletionTimestamp": "before"}}


async def ask(desk: Desk, scratch: Scratch, **arguments: object) -> Answer:
    """Ask for a deletion in the test's namespace."""
    return await desk.ask("delete", **{"namespace": scratch.namespace, **arguments})


async def confirmed(desk: Desk, scratch: Scratch, **arguments: object) -> Answer:
    """Ask for the plan, then carry it out."""
    plan = await ask(desk, scratch, **arguments)
    assert plan.result.confirm in plan.text
    return await ask(desk, scratch, **arguments, confirm=plan.result.confirm)


async def refused(desk: Desk, scratch: Scratch, **arguments: object) -> ToolError:
    """The error of asking for it."""
    with pytest.raises(ToolError) as caught:
        await ask(desk, scratch, **arguments)
    return caught.value


@pytest.fixture
def settings(scratch: Scratch) -> Scratch:
    """A namespace with three ConfigMaps, two of them of one set."""
    for name, group in (("one", "a"), ("two", "a"), ("three", "b")):
        scratch.make("ConfigMap", name, metadata={"labels": {"set": group}})
    return scratch


async def test_without_a_code_the_plan_is_told_and_nothing_goes(cluster: Desk, settings: Scratch) -> None:
    answer = await ask(cluster, settings, kind="cm", name="one,two")
    assert answer.text.startswith("would delete 2 objects")
    assert "nothing was done yet" in answer.text
    assert settings.there("v1", "configmaps", "one")


async def test_with_the_code_exactly_the_planned_objects_go(cluster: Desk, settings: Scratch) -> None:
    answer = await confirmed(cluster, settings, kind="cm", label_selector="set=a")
    assert [row[1] for row in answer.rows] == ["deleted", "deleted"]
    assert [settings.there("v1", "configmaps", name) for name in ("one", "two", "three")] == [False, False, True]


async def test_an_object_more_or_changed_since_the_plan_keeps_all_of_them(cluster: Desk, settings: Scratch) -> None:
    plan = await ask(cluster, settings, kind="cm", label_selector="set=a")
    settings.make("ConfigMap", "four", metadata={"labels": {"set": "a"}})
    error = await refused(cluster, settings, kind="cm", label_selector="set=a", confirm=plan.result.confirm)
    assert error.code == "plan_changed"
    plan = await ask(cluster, settings, kind="cm", name="one")
    settings.api.merge(settings.path("v1", "configmaps", "one"), {"data": {"a": "1"}})
    error = await refused(cluster, settings, kind="cm", name="one", confirm=plan.result.confirm)
    assert error.code == "plan_changed"
    assert settings.there("v1", "configmaps", "one")


async def test_a_code_of_another_caller_or_of_other_arguments_deletes_nothing(cluster: Desk, settings: Scratch) -> None:
    code = (await ask(cluster, settings, kind="cm", name="one")).result.confirm
    other = replace(cluster, caller=Principal(id="somebody", method="api_key"))
    assert (await refused(other, settings, kind="cm", name="one", confirm=code)).code == "plan_changed"
    assert (await refused(cluster, settings, kind="cm", name="two", confirm=code)).code == "plan_changed"
    orphaned = await refused(cluster, settings, kind="cm", name="one", propagation="orphan", confirm=code)
    assert orphaned.code == "plan_changed"
    assert settings.there("v1", "configmaps", "one")
    assert settings.there("v1", "configmaps", "two")


async def test_the_objects_of_a_manifest_go_the_last_applied_first(cluster: Desk, settings: Scratch) -> None:
    manifest = "\n---\n".join(
        f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}"
        for kind, name in (("ConfigMap", "one"), ("ServiceAccount", "runner"), ("ConfigMap", "absent"))
    )
    settings.make("ServiceAccount", "runner")
    answer = await confirmed(cluster, settings, manifest=manifest)
    assert [row[0].split()[0] for row in answer.rows] == ["ConfigMap", "ServiceAccount"]
    assert "absent" in answer.text
    assert not settings.there("v1", "configmaps", "one")
    assert not settings.there("v1", "serviceaccounts", "runner")


async def test_what_goes_along_is_counted(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web", replicas=2))
    wait_until("start of the pods", lambda: len(scratch.api.items(scratch.path("v1", "pods"))) == 2, within=5)
    plan = await ask(cluster, scratch, kind="deploy", name="web")
    assert "goes along: 2 Pod, 1 ReplicaSet" in plan.text
    kept = await ask(cluster, scratch, kind="deploy", name="web", propagation="orphan")
    assert "stays without an owner: 2 Pod, 1 ReplicaSet" in kept.text


async def test_orphaned_dependents_stay(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web"))
    await cluster.ask("wait", kind="deploy", name="web", namespace=scratch.namespace, until="ready")
    await confirmed(cluster, scratch, kind="deploy", name="web", propagation="orphan")
    wait_until("end of the Deployment", lambda: not scratch.there("apps/v1", "deployments", "web"), within=5)
    assert len(scratch.api.items(scratch.path("apps/v1", "replicasets"))) == 1


async def test_a_finalizer_that_holds_an_object_is_named(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "held", metadata={"finalizers": ["example.com/keep"]})
    answer = await confirmed(cluster, scratch, kind="cm", name="held")
    assert answer.rows == [[f"ConfigMap {scratch.namespace}/held", "waiting on finalizer example.com/keep"]]
    path = scratch.path("v1", "configmaps", "held")
    assert scratch.api.get(path)["metadata"]["deletionTimestamp"]
    scratch.api.merge(path, {"metadata": {"finalizers": None}})


def budgeted(scratch: Scratch, *, least: int) -> str:
    """A running pod under a disruption budget; its name."""
    scratch.make("Deployment", "web", **deployment("web"))
    spec = {"minAvailable": least, "selector": {"matchLabels": {"app": "web"}}}
    scratch.make("PodDisruptionBudget", "web-budget", group_version="policy/v1", spec=spec)
    budget = scratch.path("policy/v1", "poddisruptionbudgets", "web-budget")
    pods = scratch.path("v1", "pods")

    def counted() -> bool:
        ready = any(
            one["type"] == "Ready" and one["status"] == "True"
            for pod in scratch.api.items(pods)
            for one in pod.get("status", {}).get("conditions", [])
        )
        return ready and scratch.api.get(budget).get("status", {}).get("currentHealthy") == 1

    wait_until("a healthy pod under the budget", counted, within=20)
    return str(scratch.api.items(pods)[0]["metadata"]["name"])


async def test_an_eviction_that_a_budget_blocks_says_which(cluster: Desk, scratch: Scratch) -> None:
    pod = budgeted(scratch, least=1)
    answer = await confirmed(cluster, scratch, kind="pod", name=pod, evict=True)
    assert "refused: pdb_blocked" in answer.text
    assert "web-budget" in answer.text
    assert "deletionTimestamp" not in scratch.read("v1", "pods", pod)["metadata"]


async def test_an_eviction_that_the_budget_allows_ends_the_pod(cluster: Desk, scratch: Scratch) -> None:
    pod = budgeted(scratch, least=0)
    answer = await confirmed(cluster, scratch, kind="pod", name=pod, evict=True)
    assert answer.rows[0][1] == "evicted"
    path = scratch.path("v1", "pods", pod)
    wait_until("end of the pod", lambda: "deletionTimestamp" in (scratch.api.find(path) or GONE)["metadata"], within=5)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"kind": "cm"}, "selector_required"),
        ({"kind": "cm", "label_selector": ""}, "selector_required"),
        ({}, "invalid_argument"),
        ({"kind": "cm", "name": "one", "label_selector": "a=b"}, "invalid_argument"),
        ({"kind": "cm", "manifest": "a: b"}, "invalid_argument"),
        ({"kind": "cm", "name": ",".join(f"n{n}" for n in range(21))}, "invalid_argument"),
        ({"kind": "cm", "name": "one", "evict": True}, "invalid_argument"),
        ({"kind": "cm", "name": "absent"}, "not_found"),
        ({"kind": "cm", "label_selector": "set=none"}, "not_found"),
        ({"kind": "cm", "label_selector": "=="}, "invalid_selector"),
    ],
)
async def test_a_deletion_that_names_nothing_is_refused(
    cluster: Desk, settings: Scratch, arguments: dict[str, object], code: str
) -> None:
    assert (await refused(cluster, settings, **arguments)).code == code
    assert settings.there("v1", "configmaps", "one")


@promise("S19")
@pytest.mark.parametrize("plural", ["namespaces", "nodes"])
async def test_what_takes_much_with_it_needs_the_operators_permit(cluster: Desk, scratch: Scratch, plural: str) -> None:
    name = scratch.api.items(f"/api/v1/{plural}")[0]["metadata"]["name"]
    error = await refused(cluster, scratch, kind=plural, name=name)
    assert (error.code, "delete_cluster_objects" in error.text) == ("denied_by_policy", True)


@promise("S19")
async def test_nothing_of_kubernetes_own_namespaces_is_deleted(cluster: Desk, scratch: Scratch) -> None:
    error = await refused(cluster, scratch, kind="cm", name="kube-root-ca.crt", namespace="kube-system")
    assert error.code == "denied_by_policy"


async def test_a_user_without_the_right_is_told_for_each_object(viewer: Desk, settings: Scratch) -> None:
    answer = await confirmed(viewer, settings, kind="cm", name="one")
    assert "refused: forbidden" in answer.text
    assert settings.there("v1", "configmaps", "one")
