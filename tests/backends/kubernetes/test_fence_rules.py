"""Rules of a fence: which requests pass them."""

from __future__ import annotations

import pytest

from cloud_native_mcp.backends.kubernetes.fence import Fence, FenceError, FenceRule
from cloud_native_mcp.backends.kubernetes.reach import Reach

SHOP = Reach("get", "", "pods", namespace="shop", name="web")
OTHER = Reach("get", "", "pods", namespace="other", name="web")
NODE = Reach("get", "", "nodes", name="n1")
EVERYWHERE = Reach("list", "", "pods", collection=True)
LOG = Reach("get", "", "pods", "log", namespace="shop", name="web")
SECRETS = Reach("list", "", "secrets", collection=True)
KUBELET = Reach("get", "", "nodes", "proxy", name="n1")


def passing(fence: Fence, *asked: Reach) -> list[bool]:
    """Which of the requests pass; collections without a namespace span all."""
    return [fence.admits(reach, spans=reach.spans) for reach in asked]


def test_without_rules_everything_passes() -> None:
    assert Fence().open
    assert not Fence(deny=[FenceRule(kinds=("secrets",))]).open


def test_a_rule_of_namespaces_is_about_objects_in_them_only() -> None:
    fence = Fence([FenceRule(namespaces=("shop", "team-*"))])
    assert passing(fence, SHOP, OTHER, NODE, EVERYWHERE) == [True, False, False, False]
    assert passing(fence, SHOP.inside("team-a"), SHOP.inside("steam-a")) == [True, False]


def test_all_namespaces_are_not_what_is_outside_of_them() -> None:
    assert passing(Fence([FenceRule(namespaces=("*",))]), SHOP, EVERYWHERE, NODE) == [True, True, False]


def test_a_denied_namespace_keeps_back_what_spans_it_and_nothing_else() -> None:
    fence = Fence(deny=[FenceRule(namespaces=("other",))])
    assert passing(fence, SHOP, OTHER, NODE, EVERYWHERE) == [True, False, True, False]


def test_a_kind_takes_its_subresources_along_and_a_subresource_stands_alone() -> None:
    assert passing(Fence(deny=[FenceRule(kinds=("pods",))]), SHOP, LOG) == [False, False]
    assert passing(Fence(deny=[FenceRule(kinds=("pods/log",))]), SHOP, LOG) == [True, False]
    assert passing(Fence([FenceRule(kinds=("pods/log",))]), SHOP, LOG) == [False, True]


def test_kinds_are_compared_with_their_group() -> None:
    metrics = Reach("get", "metrics.k8s.io", "pods", namespace="shop", name="web")
    assert passing(Fence(deny=[FenceRule(kinds=("pods",))]), SHOP, metrics) == [False, True]
    assert passing(Fence(deny=[FenceRule(kinds=("*.metrics.k8s.io",))]), SHOP, metrics) == [True, False]


def test_verbs_and_kinds_of_a_rule_go_together() -> None:
    fence = Fence([FenceRule(verbs=("get", "list")), FenceRule(namespaces=("shop",), kinds=("pods",))])
    change = Reach("delete", "", "pods", namespace="shop", name="web")
    assert passing(fence, OTHER, change, change.inside("other")) == [True, True, False]


def test_what_is_denied_wins() -> None:
    fence = Fence([FenceRule()], [FenceRule(kinds=("secrets",))])
    assert passing(fence, SHOP, SECRETS, Reach("get", "", "secrets", namespace="shop", name="x")) == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("fence", [Fence([FenceRule()]), Fence(deny=[FenceRule(kinds=("secrets",))])])
def test_kubelets_have_to_be_named_where_there_is_any_fence(fence: Fence) -> None:
    assert passing(fence, NODE, KUBELET) == [True, False]
    named = Fence([FenceRule(), FenceRule(kinds=("nodes/proxy",), verbs=("get",))])
    assert passing(named, KUBELET) == [True]


def test_questions_about_rights_pass_unless_they_are_denied() -> None:
    review = Reach("create", "authorization.k8s.io", "selfsubjectaccessreviews", collection=True)
    assert passing(Fence([FenceRule(namespaces=("shop",))]), review) == [True]
    assert passing(Fence(deny=[FenceRule(kinds=("*.authorization.k8s.io",))]), review) == [False]


def test_a_list_over_all_namespaces_knows_where_it_may_go() -> None:
    fence = Fence(
        [FenceRule(namespaces=("shop", "team-*")), FenceRule(namespaces=("ops",), kinds=("events",))],
        [FenceRule(namespaces=("team-b",), kinds=("pods",))],
    )
    assert fence.patterns(EVERYWHERE) == ("shop", "team-*")
    assert fence.inside(EVERYWHERE, ["zoo", "team-b", "team-a", "shop", "ops"]) == ["shop", "team-a"]
    assert Fence(deny=[FenceRule(namespaces=("ops",))]).patterns(EVERYWHERE) == ("*",)


def test_a_refusal_names_request_setting_and_rules() -> None:
    fence = Fence(
        [FenceRule(namespaces=("shop",), verbs=("get", "list"))],
        [FenceRule(kinds=("secrets",))],
        setting="kubernetes.targets.prod.fence",
    )
    with pytest.raises(FenceError) as caught:
        fence.check(OTHER, spans=False)
    assert caught.value.code == "denied_by_policy"
    assert caught.value.kind == "final"
    assert caught.value.text == (
        "get pods web in other is kept back by kubernetes.targets.prod.fence "
        "(only get, list of everything in shop. never secrets)"
    )
