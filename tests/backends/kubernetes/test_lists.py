"""Lists, tables and owner walks, against scripted answers of an API server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec
import pytest

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page, list_pages, metadata_page
from cloud_native_mcp.backends.kubernetes.meta import LAST_APPLIED, ObjectMeta, OwnerReference
from cloud_native_mcp.backends.kubernetes.owners import descendants, owner_chain
from cloud_native_mcp.backends.kubernetes.resources import Resource
from cloud_native_mcp.backends.kubernetes.table import table_page
from cloud_native_mcp.errors import BackendError
from tests.backends.kubernetes.clusters import aggregated, cluster, entry, group, routes, soon
from tests.fault_server.behaviours import Behaviour, answer
from tests.promises import promise

if TYPE_CHECKING:
    from tests.fault_server.wire import Request

PODS = Resource("", "v1", "Pod", "pods")
SETS = Resource("apps", "v1", "ReplicaSet", "replicasets")


class Spec(msgspec.Struct):
    """The only part of a pod that is read here."""

    node: str = msgspec.field(name="nodeName", default="")


class Pod(msgspec.Struct):
    """A pod."""

    metadata: ObjectMeta
    spec: Spec


def pod(name: str, **meta: object) -> dict[str, object]:
    """A pod as the API gives it, with fields that are not read."""
    return {"metadata": {"name": name, "uid": f"uid-{name}", **meta}, "spec": {"nodeName": "n1", "volumes": []}}


def query_of(request: Request) -> dict[str, list[str]]:
    """The query parameters of a request."""
    return parse_qs(request.target.partition("?")[2])


async def test_pages_follow_the_continue_token_and_never_ask_for_version_zero() -> None:
    def choose(request: Request) -> Behaviour:
        given = query_of(request).get("continue", [""])[0]
        page = {"": ("a", "t1", 2), "t1": ("b", "t2", 1), "t2": ("c", "", 0)}[given]
        meta = {"continue": page[1], "remainingItemCount": page[2], "resourceVersion": "9"}
        return answer({"kind": "PodList", "metadata": meta, "items": [pod(page[0])]})

    async with cluster(choose) as (client, server):
        query = ListQuery("shop", label_selector="app=web", field_selector="status.phase=Running", limit=1)
        pages = [page async for page in list_pages(client, PODS, query, item=Pod, deadline=soon())]
    assert [item.metadata.name for page in pages for item in page.items] == ["a", "b", "c"]
    assert (pages[0].cursor, pages[0].remaining, pages[0].resource_version) == ("t1", 2, "9")
    assert query_of(server.requests[0]) == {
        "limit": ["1"], "labelSelector": ["app=web"], "fieldSelector": ["status.phase=Running"],
    }  # fmt: skip
    assert not any("resourceVersion" in request.target for request in server.requests)
    assert {request.path for request in server.requests} == {"/api/v1/namespaces/shop/pods"}


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_limit_that_would_mean_everything_is_never_sent(limit: int) -> None:
    async with cluster(routes({})) as (client, server):
        with pytest.raises(ValueError, match="below 1"):
            await list_page(client, PODS, ListQuery(limit=limit), item=Pod, deadline=soon())
    assert server.requests == []


async def test_null_items_columns_and_rows_are_an_empty_answer() -> None:
    async with cluster(lambda _: answer({"kind": "PodList", "metadata": {}, "items": None})) as (client, _):
        assert (await metadata_page(client, PODS, ListQuery(), deadline=soon())).items == []
    empty: dict[str, object] = {"kind": "Table", "metadata": {}, "columnDefinitions": None, "rows": None}
    async with cluster(lambda _: answer(empty)) as (client, _):
        assert (await table_page(client, PODS, ListQuery(), deadline=soon())).shown() == ([], [])


async def test_a_page_that_is_no_longer_available_is_an_expired_cursor() -> None:
    gone = answer({"kind": "Status", "reason": "Expired", "message": "too old", "code": 410}, status=410)
    async with cluster(lambda _: gone) as (client, _):
        with pytest.raises(BackendError) as caught:
            await list_page(client, PODS, ListQuery(cursor="t1"), item=Pod, deadline=soon())
    assert caught.value.code == "expired_cursor"


async def test_the_last_applied_copy_never_gets_out_of_metadata() -> None:
    annotated = pod("a", annotations={LAST_APPLIED: '{"data":{"key":"canary"}}', "team": "shop"})
    async with cluster(lambda _: answer({"items": [annotated]})) as (client, _):
        page = await metadata_page(client, PODS, ListQuery("shop"), deadline=soon())
    assert page.items[0].metadata.annotations == {"team": "shop"}


TABLE = {
    "kind": "Table",
    "metadata": {"continue": "t1", "remainingItemCount": 4},
    "columnDefinitions": [
        {"name": "Name", "type": "string", "priority": 0},
        {"name": "Ready", "type": "string", "priority": 0},
        {"name": "IP", "type": "string", "priority": 1},
    ],
    "rows": [
        {"cells": ["a", "1/1", "10.0.0.1"], "object": pod("a", namespace="shop")},
        {"cells": ["b", None, ["x", {"y": 1}]], "object": pod("b", namespace="shop")},
        {"cells": ["c"]},
    ],
}


async def test_a_table_shows_default_columns_or_all_and_carries_what_was_asked_for() -> None:
    async with cluster(lambda _: answer(TABLE)) as (client, server):
        page = await table_page(client, PODS, ListQuery("shop", limit=3), include="Object", deadline=soon())
    assert page.shown() == (["Name", "Ready"], [["a", "1/1"], ["b", None], ["c", None]])
    assert page.shown(wide=True)[1][1] == ["b", None, '["x",{"y":1}]']
    assert [row.meta.name if row.meta else None for row in page.rows] == ["a", "b", None]
    assert page.rows[0].value()["spec"] == {"nodeName": "n1", "volumes": []}
    assert page.rows[2].value() == {}
    assert (page.cursor, page.remaining) == ("t1", 4)
    assert query_of(server.requests[0]) == {"limit": ["3"], "includeObject": ["Object"]}
    assert server.requests[0].headers["accept"].startswith("application/json;as=Table;v=v1;g=meta.k8s.io")


async def test_a_server_without_tables_gives_names_and_times() -> None:
    plain: dict[str, object] = {
        "kind": "PodList",
        "metadata": {},
        "items": [pod("a", creationTimestamp="2030-01-01T00:00:00Z")],
    }
    async with cluster(lambda _: answer(plain)) as (client, _):
        page = await table_page(client, PODS, ListQuery("shop"), deadline=soon())
    assert page.shown() == (["Name", "Created At"], [["a", "2030-01-01T00:00:00Z"]])
    assert page.rows[0].meta is not None


@promise("B11")
async def test_a_bad_namespace_or_name_reaches_no_server() -> None:
    async with cluster(routes({})) as (client, server):
        for attempt in (
            client.get(PODS, "../x", namespace="shop", deadline=soon()),
            client.get(PODS, "x", namespace="a/b", deadline=soon()),
            client.metadata(PODS, "x;id", deadline=soon()),
        ):
            with pytest.raises(Exception, match="is not a"):
                await attempt
        with pytest.raises(Exception, match="is not a namespace name"):
            await list_page(client, PODS, ListQuery("--all"), item=Pod, deadline=soon())
    assert server.requests == []


async def test_without_a_namespace_an_object_is_looked_for_in_that_of_the_context() -> None:
    async with cluster(lambda _: answer(pod("a"))) as (client, server):
        await client.get(PODS, "a", deadline=soon())
    assert server.requests[0].path == "/api/v1/namespaces/here/pods/a"


def owned(name: str, by: str, kind: str = "ReplicaSet") -> dict[str, object]:
    """An object with an owner."""
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": by, "uid": f"uid-{by}", "controller": True}
    return pod(name, namespace="shop", ownerReferences=[reference])


FAMILY = {
    "/api": answer(aggregated(group("", v1=[entry("pods", "Pod")]))),
    "/apis": answer(
        aggregated(group("apps", v1=[entry("replicasets", "ReplicaSet"), entry("deployments", "Deployment")]))
    ),
    "/apis/apps/v1/namespaces/shop/replicasets/web-1": answer(owned("web-1", "web", "Deployment")),
    "/apis/apps/v1/namespaces/shop/deployments/web": answer(pod("web", namespace="shop")),
    "/apis/apps/v1/namespaces/shop/replicasets": answer({"items": [owned("web-1", "web", "Deployment"), pod("alone")]}),
    "/api/v1/namespaces/shop/pods": answer({"items": [owned("web-1-a", "web-1"), owned("other", "else")]}),
}


def meta_of(value: dict[str, object]) -> ObjectMeta:
    """The metadata of an object."""
    return msgspec.convert(value["metadata"], ObjectMeta)


async def test_owners_are_followed_upward_to_the_top() -> None:
    async with cluster(routes(FAMILY)) as (client, _):
        chain = await owner_chain(client, meta_of(owned("web-1-a", "web-1")), "shop", deadline=soon())
    assert [(owner.kind, owner.name, owner.meta is not None) for owner in chain] == [
        ("ReplicaSet", "web-1", True),
        ("Deployment", "web", True),
    ]


async def test_the_walk_upward_ends_at_an_owner_that_is_gone_replaced_or_of_an_unknown_kind() -> None:
    table = {**FAMILY, "/apis/apps/v1/namespaces/shop/deployments/web": answer(pod("impostor"))}
    async with cluster(routes(table)) as (client, _):
        replaced = await owner_chain(client, meta_of(owned("web-1-a", "web-1")), "shop", deadline=soon())
        unknown = await owner_chain(client, meta_of(owned("x", "y", "Widget")), "shop", deadline=soon())
    assert (replaced[-1].name, replaced[-1].meta) == ("web", None)
    assert [(owner.kind, owner.resource, owner.meta) for owner in unknown] == [("Widget", None, None)]


async def test_owners_in_a_circle_end() -> None:
    table = {**FAMILY, "/apis/apps/v1/namespaces/shop/replicasets/web-1": answer(owned("web-1", "web-1"))}
    async with cluster(routes(table)) as (client, _):
        chain = await owner_chain(client, meta_of(owned("web-1-a", "web-1")), "shop", deadline=soon())
    assert [owner.name for owner in chain] == ["web-1"]


async def test_what_an_object_owns_is_found_through_several_levels() -> None:
    async with cluster(routes(FAMILY)) as (client, _):
        tree = await descendants(client, ["uid-web"], [SETS, PODS], "shop", deadline=soon())
    assert [(item.meta.name, item.parent_uid, item.depth) for item in tree.found] == [
        ("web-1", "uid-web", 1),
        ("web-1-a", "uid-web-1", 2),
    ]
    assert (list(tree.failed), tree.complete) == ([], True)


async def test_a_kind_that_cannot_be_listed_is_named_and_the_rest_is_given() -> None:
    refused = answer({"kind": "Status", "reason": "Forbidden", "message": "no", "code": 403}, status=403)
    table = {**FAMILY, "/api/v1/namespaces/shop/pods": refused}
    async with cluster(routes(table)) as (client, _):
        tree = await descendants(client, ["uid-web"], [SETS, PODS], "shop", deadline=soon())
    assert [item.meta.name for item in tree.found] == ["web-1"]
    assert (list(tree.failed), tree.complete) == (["pods: forbidden"], False)


def test_the_managing_owner_comes_before_others() -> None:
    other, manager = OwnerReference("A", "a"), OwnerReference("B", "b", controller=True)
    assert ObjectMeta(owner_references=[other, manager]).controller == manager
    assert ObjectMeta(owner_references=[other]).controller == other
    assert ObjectMeta().controller is None


async def test_logs_come_in_parts_and_their_errors_are_those_of_the_api() -> None:
    table = {
        "/api/v1/namespaces/shop/pods/a/log": answer("line 1\nline 2\n", kind="text/plain"),
        "/api/v1/namespaces/shop/pods/b/log": answer(
            {"kind": "Status", "reason": "BadRequest", "message": "container not found", "code": 400}, status=400
        ),
    }
    async with cluster(routes(table)) as (client, _):
        path = PODS.path(namespace="shop", name="a", subresource="log")
        async with client.stream(path, deadline=soon(), params=[("tailLines", "2")]) as parts:
            assert b"".join([part async for part in parts]) == b"line 1\nline 2\n"
        with pytest.raises(BackendError, match="container not found") as caught:
            async with client.stream(path.replace("/a/", "/b/"), deadline=soon()):
                pytest.fail("the block must not be entered")
    assert caught.value.code == "rejected"
