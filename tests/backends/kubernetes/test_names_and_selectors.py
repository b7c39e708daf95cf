"""What may stand in a path and in a selector; everything else never reaches a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.resources import Resource
from cloud_native_mcp.backends.kubernetes.selectors import (
    LabelSelector,
    Requirement,
    check_field_selector,
    check_label_selector,
    matches,
    selector_text,
)
from cloud_native_mcp.errors import InvalidArgument
from tests.promises import promise

PODS = Resource("", "v1", "Pod", "pods")
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments")
NODES = Resource("", "v1", "Node", "nodes", namespaced=False)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False)
NOT_NAMES = [
    "../x", "a/b", "a%2Fb", "", "a" * 254, "Web", "🙂", "web;id", "$(id)", "a\nb", "--all", ".", "..", "a..b", "-a",
    "a-", "a b", "a?b", "a#b", "web\x00",
]  # fmt: skip


@promise("B11")
@pytest.mark.parametrize("value", NOT_NAMES)
def test_what_is_not_a_dns_name_is_refused_by_field_and_rule(value: str) -> None:
    for check, field in ((check_name, "name"), (check_namespace, "namespace")):
        with pytest.raises(InvalidArgument) as caught:
            check(value)
        assert caught.value.field == field
        assert "lower case letters" in caught.value.text
        assert len(caught.value.text) < 260
        assert caught.value.text.isascii()


@promise("B11")
@pytest.mark.parametrize("value", NOT_NAMES)
def test_no_path_is_made_of_what_is_not_a_name(value: str) -> None:
    with pytest.raises(InvalidArgument):
        PODS.path(namespace="shop", name=value)
    if value:
        with pytest.raises(InvalidArgument):
            PODS.path(namespace=value)


@pytest.mark.parametrize("value", ["web", "a", "web-1.example.com", "0", "a" * 253])
def test_names_pass(value: str) -> None:
    assert check_name(value) == value


def test_roles_have_names_with_colons_and_capitals_but_no_slashes() -> None:
    assert check_name("system:Node@x", resource=ROLES) == "system:Node@x"
    for value in ("..", "a/b", "-x", "a%2fb", "a b"):
        with pytest.raises(InvalidArgument):
            check_name(value, resource=ROLES)


def test_paths_follow_group_scope_and_subresource() -> None:
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path(namespace="shop", name="web-1", subresource="log") == "/api/v1/namespaces/shop/pods/web-1/log"
    assert DEPLOYMENTS.path(namespace="shop", name="web") == "/apis/apps/v1/namespaces/shop/deployments/web"
    assert NODES.path(namespace="shop", name="n1", subresource="proxy/stats/summary") == (
        "/api/v1/nodes/n1/proxy/stats/summary"
    )
    assert ROLES.path(name="system:node") == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode"


@pytest.mark.parametrize(
    "text",
    [
        "app=web", "app==web", "app!=web", "app", "!app", "app in (web,api)", "tier notin (x, y),app", "a.b/c=d", "x>5",
        " app = web , tier in (a) ", "app=", "app in (,a)",
    ],
)  # fmt: skip
def test_label_selectors_pass(text: str) -> None:
    assert check_label_selector(text) == text.strip()


@promise("B12")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "app=web=x",
        "app in web",
        "=web",
        "app in (a",
        "a b",
        "app=web,",
        "-app=x",
        "a/b/c=d",
        "app~x",
        "x" * 2_001,
    ],
)
def test_malformed_label_selectors_are_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_label_selector(text)
    assert (caught.value.code, caught.value.field) == ("invalid_selector", "label_selector")
    assert "key=value" in caught.value.text or not text.strip() or len(text) > 2_000


@pytest.mark.parametrize(
    "text", ["status.phase=Running", "metadata.name!=x", "spec.nodeName==n1,status.phase=Failed", "reason=a\\,b", "x="]
)
def test_field_selectors_pass(text: str) -> None:
    assert check_field_selector(text) == text


@promise("B12")
@pytest.mark.parametrize("text", ["", "status.phase", "=x", "a b=c", "status.phase in (a)", "a=b,", "a=b\n", "$(id)=x"])
def test_malformed_field_selectors_are_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_field_selector(text)
    assert (caught.value.code, caught.value.field) == ("invalid_selector", "field_selector")


@promise("B12")
@given(st.text(max_size=60))
def test_any_text_is_either_a_selector_or_refused_by_name(text: str) -> None:
    for check in (check_label_selector, check_field_selector):
        try:
            outcome = check(text)
        except InvalidArgument as error:
            outcome = error.code
        assert outcome in {text.strip(), "invalid_selector"}


def test_selectors_of_objects_become_text_and_match_labels() -> None:
    selector = LabelSelector(
        {"b": "2", "a": "1"},
        [
            Requirement("c", "In", ["x", "y"]),
            Requirement("d", "NotIn", ["z"]),
            Requirement("e", "Exists"),
            Requirement("f", "DoesNotExist"),
        ],
    )
    text = selector_text(selector)
    assert text == "a=1,b=2,c in (x,y),d notin (z),e,!f"
    assert check_label_selector(text) == text
    labels = {"a": "1", "b": "2", "c": "y", "e": ""}
    assert matches(selector, labels)
    for wrong in ({"a": "2"}, {"c": "z"}, {"d": "z"}, {"f": "1"}):
        assert not matches(selector, labels | wrong)
    assert not matches(selector, {key: value for key, value in labels.items() if key != "e"})
    assert matches(LabelSelector(), {})
