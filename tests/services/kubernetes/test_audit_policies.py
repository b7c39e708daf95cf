"""What kubernetes_audit tells of policy engines, whose kinds the tests bring to the lab's cluster themselves."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from lab.kube import ApiError
from lab.probes import wait_until
from tests.services.kubernetes.test_audit import look, rules

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@contextmanager
def served(scratch: Scratch, group: str, version: str, kind: str, plural: str, scope: str) -> Generator[None]:
    """A kind for as long as it is needed; one that is there already stays."""
    name = f"{plural}.{group}"
    if scratch.api.find(f"{CRDS}/{name}"):
        yield
        return
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    spec = {
        "group": group,
        "scope": scope,
        "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
        "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
    }
    kinds = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}}
    scratch.api.apply(kinds | {"spec": spec})
    try:
        wait_until(f"{name} is served", lambda: is_served(scratch, f"{group}/{version}", plural), within=30.0)
        yield
    finally:
        scratch.api.delete(f"{CRDS}/{name}")


def is_served(scratch: Scratch, group_version: str, plural: str) -> bool:
    """Whether discovery tells of the kind and its collection can be listed."""
    if not any(one.group_version == group_version and one.plural == plural for _, one in scratch.api.resources()):
        return False
    try:
        return scratch.api.find(f"/apis/{group_version}/{plural}") is not None
    except ApiError as error:
        if error.status != 429:  # the storage of the kind is being made
            raise
        return False


def result(outcome: str, name: str, **more: Any) -> dict[str, Any]:
    """A result of a report."""
    target = {"kind": "Deployment", "name": name}
    return {"policy": "labels", "rule": "team", "result": outcome, "message": "no team", "resources": [target], **more}


@pytest.mark.parametrize(
    ("group", "version", "kind", "plural"),
    [
        ("wgpolicyk8s.io", "v1alpha2", "PolicyReport", "policyreports"),
        ("openreports.io", "v1alpha1", "Report", "reports"),
    ],
)
async def test_failed_results_of_reports_are_found(
    cluster: Desk, scratch: Scratch, group: str, version: str, kind: str, plural: str
) -> None:
    with served(scratch, group, version, kind, plural, "Namespaced"):
        results = [
            result("fail", "bad"),
            result("fail", "worse", severity="high"),
            result("warn", "so-so"),
            result("pass", "good"),
            result("skip", "skipped"),
        ]
        scratch.make(kind, "one", group_version=f"{group}/{version}", results=results)
        scoped = {"scope": {"kind": "Pod", "name": "scoped"}, "results": [result("fail", "x", resources=[])]}
        scratch.make(kind, "two", group_version=f"{group}/{version}", **scoped)
        answer = await look(cluster, scratch, "policy_reports")
    found = {(row[0], row[2], row[3].rpartition("/")[2]) for row in answer.rows}
    assert found == {
        ("critical", "labels/team", "worse"),
        ("warning", "labels/team", "bad"),
        ("warning", "labels/team", "scoped"),
        ("info", "labels/team", "so-so"),
    }


async def test_violations_of_constraints_are_found(cluster: Desk, scratch: Scratch) -> None:
    group = "constraints.gatekeeper.sh"
    with served(scratch, group, "v1beta1", "AuditTestLabels", "audittestlabels", "Cluster"):
        seen = {"kind": "Pod", "namespace": scratch.namespace, "message": "no owner"}
        violations = [
            {**seen, "name": "bad", "enforcementAction": "deny"},
            {**seen, "name": "tried", "enforcementAction": "dryrun"},
            {**seen, "name": "elsewhere", "namespace": "another"},
        ]
        status = {"totalViolations": 40, "violations": violations}
        meta = {"apiVersion": f"{group}/v1beta1", "kind": "AuditTestLabels", "metadata": {"name": scratch.namespace}}
        scratch.api.apply(meta | {"status": status})
        answer = await look(cluster, scratch, "policy_reports")
    rule = f"AuditTestLabels/{scratch.namespace}"
    assert rules(answer) == {(rule, "Pod bad"), (rule, "Pod tried")}
    assert [row[0] for row in answer.rows] == ["warning", "info"]
    assert "tells 3 of 40 violations" in answer.text


async def test_a_cluster_without_policy_engine_is_not_taken_for_one_that_complies(
    cluster: Desk, scratch: Scratch
) -> None:
    answer = await look(cluster, scratch, "policy_reports")
    # Other tests may have brought the kinds of an engine for a moment.
    if "policy_reports\t" not in answer.text:
        assert answer.result.partial[0].startswith("policy_reports: not done: unsupported")
