"""What requests reach, by method and address, as the API server itself takes them apart."""

from __future__ import annotations

import pytest

from cloud_native_mcp.backends.kubernetes.reach import UnreadableAddressError, reaches

SHOP = "/api/v1/namespaces/shop"
APPS = "/apis/apps/v1/namespaces/shop/deployments"


@pytest.mark.parametrize(
    ("request_line", "words"),
    [
        (f"GET {SHOP}/pods/web", "get pods web in shop"),
        (f"HEAD {SHOP}/pods/web", "get pods web in shop"),
        (f"GET {SHOP}/pods", "list pods in shop"),
        (f"GET {SHOP}/pods?watch=1", "watch pods in shop"),
        ("GET /api/v1/pods", "list pods"),
        (f"GET {SHOP}/pods?fieldSelector=metadata.name=web", "list pods web in shop"),
        (f"POST {SHOP}/pods", "create pods in shop"),
        (f"PUT {APPS}/web", "update deployments.apps web in shop"),
        (f"PATCH {APPS}/web/scale", "patch deployments.apps/scale web in shop"),
        (f"DELETE {APPS}/web", "delete deployments.apps web in shop"),
        (f"DELETE {APPS}", "deletecollection deployments.apps in shop"),
        (f"GET {SHOP}/pods/web/log", "get pods/log web in shop"),
        (f"GET {SHOP}/pods/web/exec", "create pods/exec web in shop"),
        (f"GET {SHOP}/pods/web/attach", "create pods/attach web in shop"),
        (f"GET {SHOP}/pods/web/portforward", "create pods/portforward web in shop"),
        (f"GET {SHOP}/services/http:web:80/proxy/admin/users", "get services/proxy http:web:80 in shop"),
        (f"POST {SHOP}/services/web/proxy", "create services/proxy web in shop"),
        ("GET /api/v1/nodes/n1/proxy/logs/", "get nodes/proxy n1"),
        ("GET /api/v1/namespaces", "list namespaces"),
        ("GET /api/v1/namespaces/shop", "get namespaces shop"),
        ("PUT /api/v1/namespaces/shop/finalize", "update namespaces/finalize shop"),
        ("GET /apis/metrics.k8s.io/v1beta1/namespaces/shop/pods", "list pods.metrics.k8s.io in shop"),
    ],
)
def test_verb_kind_name_and_namespace_are_read_off_the_request(request_line: str, words: str) -> None:
    method, _, address = request_line.partition(" ")
    path, _, query = address.partition("?")
    params = [(query.partition("=")[0], query.partition("=")[2])] if query else []
    assert [reach.words for reach in reaches(method, path, params)] == [words]


def test_an_apply_may_create_and_an_eviction_deletes() -> None:
    apply = reaches("PATCH", f"{APPS}/web", content="application/apply-patch+yaml")
    assert [reach.words for reach in apply] == [
        "patch deployments.apps web in shop",
        "create deployments.apps web in shop",
    ]
    merge = reaches("PATCH", f"{APPS}/web", content="application/merge-patch+json")
    assert [reach.verb for reach in merge] == ["patch"]
    eviction = reaches("POST", f"{SHOP}/pods/web/eviction")
    assert [reach.words for reach in eviction] == ["create pods/eviction web in shop", "delete pods web in shop"]


@pytest.mark.parametrize(
    "path", ["/api", "/apis", "/apis/apps", "/apis/apps/v1", "/openapi/v3/apis/apps/v1", "/version", "/readyz"]
)
def test_discovery_schemas_and_health_reach_no_object(path: str) -> None:
    assert reaches("GET", path) == ()


def test_a_namespace_is_in_itself_and_a_list_narrowed_to_it_too() -> None:
    (got,) = reaches("GET", "/api/v1/namespaces/shop")
    (listed,) = reaches("GET", "/api/v1/namespaces", [("fieldSelector", "metadata.name=shop")])
    assert got.namespace == listed.namespace == "shop"
    (all_of_them,) = reaches("GET", "/api/v1/namespaces", [("fieldSelector", "metadata.name!=shop")])
    assert all_of_them.namespace is None
    assert all_of_them.spans


def test_an_escaped_selector_narrows_nothing() -> None:
    (reach,) = reaches("GET", "/api/v1/namespaces", [("fieldSelector", "metadata.name!=a\\,metadata.name=shop")])
    assert reach.namespace is None


def test_events_of_both_generations_are_one_kind() -> None:
    for path in (f"{SHOP}/events", "/apis/events.k8s.io/v1/namespaces/shop/events"):
        assert reaches("GET", path)[0].kinds == ("events", "events.events.k8s.io")


def test_an_encoded_slash_is_a_slash() -> None:
    (reach,) = reaches("GET", "/api/v1/namespaces/shop%2Fsecrets%2Fapi-keys")
    assert reach.words == "get secrets api-keys in shop"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/watch/pods",
        "/api/v1/proxy/nodes/n1",
        "/api/v1/namespaces/shop/../other/pods",
        "/api/v1/namespaces/shop/pods/%2e%2e/secrets",
        "/api/v1/namespaces/shop/pods?watch=1",
        "/api/v1/namespaces//pods",
        "/logs/kube-apiserver.log",
        "/debug/pprof/heap",
        "",
    ],
)
def test_an_address_of_another_form_is_not_read(path: str) -> None:
    with pytest.raises(UnreadableAddressError):
        reaches("GET", path)


@pytest.mark.parametrize(
    "params",
    [
        [("watch", "maybe")],
        [("watch", "1"), ("watch", "false")],
        [("fieldSelector", "metadata.name=a"), ("fieldSelector", "metadata.name=b")],
    ],
)
def test_parameters_that_could_mean_two_things_are_not_read(params: list[tuple[str, str]]) -> None:
    with pytest.raises(UnreadableAddressError):
        reaches("GET", f"{SHOP}/pods", params)
