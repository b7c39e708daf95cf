"""kubernetes_access on the lab's cluster, against kubectl auth."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from lab import scene
from tests.promises import promise
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.kubectl import kubectl

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Desk

SUBJECTS = {
    "user:viewer": ["--as=viewer"],
    "user:nobody": ["--as=nobody"],
    "sa:shop/deployer": ["--as=system:serviceaccount:shop:deployer"],
    "sa:payments/legacy": ["--as=system:serviceaccount:payments:legacy"],
    "group:system:masters": ["--as=someone", "--as-group=system:masters"],
}
QUESTIONS = (
    ("get", "pods"),
    ("get", "pods/log"),
    ("create", "pods/exec"),
    ("get", "secrets"),
    ("patch", "deployments.apps"),
    ("delete", "deployments.apps"),
    ("list", "backups.ops.example.com"),
    ("list", "pods.metrics.k8s.io"),
    ("*", "*"),
    ("get", "/metrics"),
    ("get", "/healthz"),
)


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_can_i_answers_as_kubectl_does(lab: LabEnv, cluster: Desk, subject: str) -> None:
    for verb, resource in QUESTIONS:
        words = resource.split("/") if "/" in resource[1:] else [resource]
        sub = [f"--subresource={words[1]}"] if len(words) == 2 else []
        where = [] if resource.startswith("/") else ["-n", scene.SHOP]
        printed = await kubectl(lab, "auth", "can-i", verb, words[0], *sub, *where, *SUBJECTS[subject], refusals=True)
        place = {"namespace": scene.SHOP} if where else {}
        answer = await cluster.ask("access", verb=verb, resource=resource, subject=subject, **place)
        verdict = answer.text.splitlines()[1].partition(":")[0]
        assert verdict in printed.splitlines(), (verb, resource)


@pytest.mark.parametrize("verb", ["get", "patch", "create"])
async def test_whoever_can_is_named_and_nobody_else(lab: LabEnv, cluster: Desk, verb: str) -> None:
    del lab
    for resource in ("pods", "deployments.apps", "secrets"):
        asked = {"verb": verb, "resource": resource, "namespace": scene.SHOP}
        found = await cluster.ask("access", view="who_can", **asked)
        named = {row[0] for row in found.rows}
        for subject in SUBJECTS:
            answer = await cluster.ask("access", subject=subject, **asked)
            assert answer.text.splitlines()[1].startswith("yes") == (subject in named), (subject, resource)


async def test_the_servers_own_rights_are_asked_of_the_server(viewer: Desk, nobody: Desk) -> None:
    allowed = await viewer.ask("access", verb="list", resource="pods")
    assert "yes: this server's identity may list pods in cluster scope" in allowed.text
    refused = await viewer.ask("access", verb="get", resource="secrets", namespace=scene.SHOP)
    assert "no: this server's identity may not get secrets in namespace shop" in refused.text
    assert "no: " in (await nobody.ask("access", verb="list", resource="pods")).text


async def test_short_names_and_kinds_are_understood(cluster: Desk) -> None:
    for resource in ("deploy", "Deployment", "deployments.apps"):
        answer = await cluster.ask("access", verb="patch", resource=resource, namespace=scene.SHOP)
        assert "patch deployments.apps" in answer.text


async def test_who_am_i_is_what_kubectl_says(lab: LabEnv, cluster: Desk, viewer: Desk) -> None:
    printed = await kubectl(lab, "auth", "whoami")
    answer = await cluster.ask("access", view="whoami")
    user = printed.partition("Username")[2].split()[0]
    assert f"user: {user}" in answer.text
    assert "user: viewer" in (await viewer.ask("access", view="whoami")).text


async def test_the_rules_of_the_servers_identity_are_those_of_its_review(lab: LabEnv, viewer: Desk) -> None:
    printed = await kubectl(lab, "auth", "can-i", "--list", "-n", scene.SHOP, "--as=viewer")
    found = await viewer.ask("access", view="rules", namespace=scene.SHOP, limit=200)
    ours = {name for row in found.rows for name in row[0].partition(" (")[0].split(",")}
    theirs = {line.split()[0].partition(".")[0] for line in printed.splitlines()[1:] if line[:1].isalpha()}
    assert {name for name in theirs if "/" not in name} <= ours
    assert "secrets" not in ours


async def test_the_rules_of_a_subject_are_pages_that_do_not_overlap(cluster: Desk) -> None:
    asked: dict[str, object] = {"view": "rules", "subject": "user:viewer", "namespace": scene.SHOP, "limit": 5}
    whole = (await cluster.ask("access", **{**asked, "limit": 200})).rows
    first = await cluster.ask("access", **asked)
    second = await cluster.ask("access", **asked, cursor=first.cursor)
    assert [*first.rows, *second.rows] == whole[:10]


async def test_rules_tell_groups_and_url_paths_apart(cluster: Desk) -> None:
    """cluster-admin has one rule for all resources of all groups, and one for all URL paths."""
    found = await cluster.ask("access", view="rules", subject="sa:payments/legacy")
    assert [row[1] for row in found.rows if row[0] == "* (*)"] == ["*"]
    assert [row[1] for row in found.rows if row[0] == "URL *"] == ["*"]


async def test_dangerous_ways_are_marked(cluster: Desk) -> None:
    found = await cluster.ask("access", view="who_can", verb="delete", resource="nodes")
    ways = {row[0]: row[4] for row in found.rows}
    assert ways["sa:payments/legacy"] == "*"
    assert "only RBAC is looked at" in found.text


@promise("S3")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"resource": "pods"}, "invalid_argument", "verb"),
        ({"verb": "get"}, "invalid_argument", "resource"),
        ({"verb": "get;rm", "resource": "pods"}, "invalid_argument", "verb"),
        ({"verb": "get", "resource": "pods/../x"}, "invalid_argument", "resource"),
        ({"verb": "get", "resource": "podds"}, "unknown_kind", "pods"),
        ({"verb": "get", "resource": "pods", "name": "--all"}, "invalid_argument", "name"),
        ({"verb": "get", "resource": "pods", "namespace": "../x"}, "invalid_argument", "namespace"),
        ({"verb": "get", "resource": "pods", "subject": "jane"}, "invalid_argument", "subject"),
        ({"verb": "get", "resource": "pods", "subject": "sa:shop"}, "invalid_argument", "subject"),
        ({"verb": "get", "resource": "pods", "subject": "sa:a/b/c"}, "invalid_argument", "subject"),
        ({"view": "whoami", "subject": "user:jane"}, "invalid_argument", "subject"),
        ({"view": "rules"}, "invalid_argument", "namespace"),
        ({"view": "who_can", "verb": "get", "resource": "pods", "cursor": "forged"}, "invalid_cursor", "cursor"),
    ],
)
async def test_wrong_calls_are_refused(cluster: Desk, arguments: dict[str, object], code: str, words: str) -> None:
    error = await error_of(cluster.ask("access", **arguments))
    assert error.code == code
    assert words in error.text


async def test_who_may_not_read_rbac_is_told(viewer: Desk) -> None:
    for view, resource in itertools.product(("who_can", "rules"), ("pods",)):
        arguments = {"subject": "user:jane"} if view == "rules" else {"verb": "get", "resource": resource}
        error = await error_of(viewer.ask("access", view=view, namespace=scene.SHOP, **arguments))
        assert error.code == "forbidden"
    error = await error_of(viewer.ask("access", verb="get", resource="pods", subject="user:jane"))
    assert error.code == "forbidden"


async def test_a_dead_cluster_is_named(half_dead: Desk) -> None:
    assert (await error_of(half_dead.ask("access", view="whoami", target="dead"))).code == "unreachable"
