"""RBAC evaluated from its objects."""

from __future__ import annotations

import msgspec
import pytest

from cloud_native_mcp.services.kubernetes.permissions.rbac import (
    Binding,
    Policy,
    Role,
    Rule,
    Subject,
    Wanted,
    effective_rules,
)

READ_PODS = Rule(verbs=["get", "list"], api_groups=[""], resources=["pods"])


@pytest.mark.parametrize(
    ("rule", "wanted", "allowed"),
    [
        (READ_PODS, Wanted("get", "", "pods"), True),
        (READ_PODS, Wanted("delete", "", "pods"), False),
        (READ_PODS, Wanted("get", "apps", "pods"), False),
        (READ_PODS, Wanted("get", "", "pods/log"), False),
        (Rule(verbs=["*"], api_groups=["*"], resources=["*"]), Wanted("escalate", "x", "y/z"), True),
        (Rule(verbs=["get"], api_groups=[""], resources=["*/log"]), Wanted("get", "", "pods/log"), True),
        (Rule(verbs=["get"], api_groups=[""], resources=["*/log"]), Wanted("get", "", "pods"), False),
        (
            Rule(verbs=["get"], api_groups=[""], resources=["pods"], resource_names=["a"]),
            Wanted("get", "", "pods", "a"),
            True,
        ),
        (
            Rule(verbs=["get"], api_groups=[""], resources=["pods"], resource_names=["a"]),
            Wanted("get", "", "pods", "b"),
            False,
        ),
        (
            Rule(verbs=["get"], api_groups=[""], resources=["pods"], resource_names=["a"]),
            Wanted("get", "", "pods"),
            False,
        ),
        (Rule(verbs=["get"], non_resource_urls=["/metrics"]), Wanted("get", path="/metrics"), True),
        (Rule(verbs=["get"], non_resource_urls=["/metrics"]), Wanted("get", path="/metrics/x"), False),
        (Rule(verbs=["get"], non_resource_urls=["/metrics/*"]), Wanted("get", path="/metrics/x"), True),
        (Rule(verbs=["get"], non_resource_urls=["*"]), Wanted("get", path="/healthz"), True),
        (Rule(verbs=["get"], api_groups=["*"], resources=["*"]), Wanted("get", path="/healthz"), False),
    ],
)
def test_a_rule_allows_what_it_names_and_nothing_else(rule: Rule, wanted: Wanted, allowed: bool) -> None:
    assert wanted.allowed_by(rule) is allowed


def binding(kind: str, role: str, *subjects: Subject, namespace: str = "") -> Binding:
    """A binding of subjects to a role."""
    fields = {
        "metadata": {"name": f"to-{role}", "namespace": namespace},
        "roleRef": {"kind": kind, "name": role},
        "subjects": [{"kind": one.kind, "name": one.name, "namespace": one.namespace} for one in subjects],
    }
    return msgspec.convert(fields, Binding)


def test_a_role_binding_grants_a_cluster_role_in_its_namespace_only() -> None:
    jane = Subject("User", "jane")
    policy = Policy(
        {("ClusterRole", "", "reader"): [READ_PODS]},
        [("RoleBinding", binding("ClusterRole", "reader", jane, namespace="shop"))],
    )
    grants = list(policy.grants(Wanted("get", "", "pods")))
    assert [(one.subject.text, one.scope, one.binding, one.role) for one in grants] == [
        ("user:jane", "shop", "RoleBinding/to-reader", "ClusterRole/reader")
    ]


def test_a_role_of_the_same_name_in_another_namespace_grants_nothing() -> None:
    policy = Policy(
        {("Role", "payments", "reader"): [READ_PODS]},
        [("RoleBinding", binding("Role", "reader", Subject("User", "jane"), namespace="shop"))],
    )
    assert list(policy.grants(Wanted("get", "", "pods"))) == []


def test_a_service_account_without_namespace_is_that_of_the_binding() -> None:
    policy = Policy(
        {("Role", "shop", "reader"): [READ_PODS]},
        [("RoleBinding", binding("Role", "reader", Subject("ServiceAccount", "web"), namespace="shop"))],
    )
    found = list(policy.rules_of(frozenset({Subject("ServiceAccount", "web", "shop")})))
    assert [one.subject.text for one in found] == ["sa:shop/web"]


def test_a_binding_to_a_role_that_does_not_exist_grants_nothing() -> None:
    policy = Policy({}, [("ClusterRoleBinding", binding("ClusterRole", "gone", Subject("Group", "dev")))])
    assert list(policy.grants(Wanted("get", "", "pods"))) == []


def test_an_aggregated_role_has_the_rules_of_the_roles_it_selects() -> None:
    view = msgspec.convert(
        {
            "metadata": {"name": "view"},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to-view": "true"}}]},
        },
        Role,
    )
    part = msgspec.convert(
        {"metadata": {"name": "part", "labels": {"to-view": "true"}}, "rules": [msgspec.to_builtins(READ_PODS)]}, Role
    )
    other = msgspec.convert({"metadata": {"name": "other"}, "rules": [{"verbs": ["*"]}]}, Role)
    assert effective_rules(view, [view, part, other]) == [READ_PODS]
    assert effective_rules(part, [view, part, other]) == [READ_PODS]
