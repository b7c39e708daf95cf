"""Finding kinds by the names people use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.errors import BackendError, InvalidArgument
from tests.backends.kubernetes.clusters import NOT_FOUND, aggregated, cluster, entry, group, routes, soon
from tests.fault_server.behaviours import Behaviour, answer
from tests.promises import promise

if TYPE_CHECKING:
    from tests.fault_server.wire import Request

CORE = aggregated(group("", v1=[entry("pods", "Pod", short=("po",)), entry("events", "Event", short=("ev",))]))
NAMED = aggregated(
    group("apps", v1=[entry("deployments", "Deployment", short=("deploy",))]),
    group("events.k8s.io", v1=[entry("events", "Event")]),
    group("autoscaling", v2=[entry("scalers", "Scaler")], v1=[entry("scalers", "Scaler")]),
    group("cert.example.io", v1=[entry("certificates", "Certificate", short=("cert",)), entry("pods", "Pod")]),
    group("net.example.org", v1=[entry("certificates", "Certificate")]),
)
SERVED = {"/api": answer(CORE), "/apis": answer(NAMED)}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("pods", "v1/pods"),
        ("Pod", "v1/pods"),
        ("PO", "v1/pods"),
        ("event", "v1/events"),
        ("deploy", "apps/v1/deployments"),
        ("Deployment.apps", "apps/v1/deployments"),
        ("deployments.v1.apps", "apps/v1/deployments"),
        ("apps/v1/Deployment", "apps/v1/deployments"),
        ("v1/Pod", "v1/pods"),
        ("events.events.k8s.io", "events.k8s.io/v1/events"),
        ("scaler", "autoscaling/v2/scalers"),
        ("autoscaling/v1/Scaler", "autoscaling/v1/scalers"),
        ("certificates.cert.example.io", "cert.example.io/v1/certificates"),
        ("cert", "cert.example.io/v1/certificates"),
        ("pods.cert.example.io", "cert.example.io/v1/pods"),
    ],
)
async def test_kinds_are_found_by_all_their_names_and_built_in_ones_win(asked: str, found: str) -> None:
    async with cluster(routes(SERVED)) as (client, _):
        resource = await client.discovery.resolve(asked, deadline=soon())
    assert f"{resource.group_version}/{resource.plural}" == found


async def test_a_kind_of_several_custom_groups_is_ambiguous_and_the_groups_are_named() -> None:
    async with cluster(routes(SERVED)) as (client, _):
        with pytest.raises(InvalidArgument) as caught:
            await client.discovery.resolve("certificate", deadline=soon())
    assert caught.value.code == "ambiguous_kind"
    assert "certificates.cert.example.io, certificates.net.example.org" in caught.value.text


@promise("F9")
async def test_an_unknown_kind_is_looked_up_afresh_once_and_near_names_are_given() -> None:
    async with cluster(routes(SERVED)) as (client, server):
        with pytest.raises(InvalidArgument) as caught:
            await client.discovery.resolve("deplyment", deadline=soon())
    assert (caught.value.code, caught.value.field) == ("unknown_kind", "kind")
    assert "deployments.apps" in caught.value.text
    assert sorted(request.path for request in server.requests) == ["/api", "/api", "/apis", "/apis"]


@pytest.mark.parametrize("asked", ["", "../pods", "pods;id", "a b", "$(id)", "-A", "x" * 201, "pods?limit=1"])
async def test_what_is_no_name_is_refused_without_discovery_being_refreshed(asked: str) -> None:
    async with cluster(routes(SERVED)) as (client, server):
        with pytest.raises(InvalidArgument) as caught:
            await client.discovery.resolve(asked, deadline=soon())
    assert caught.value.code == "invalid_argument"
    assert len(server.requests) == 2


async def test_discovery_is_kept_and_refreshed_by_etag() -> None:
    def choose(request: Request) -> Behaviour:
        body = CORE if request.path == "/api" else NAMED
        known = request.headers.get("if-none-match") == '"7"'
        return answer(b"", status=304) if known else answer(body, headers={"ETag": '"7"'})

    async with cluster(choose) as (client, server):
        first = await client.discovery.catalogue(soon())
        assert await client.discovery.catalogue(soon()) is first
        assert len(server.requests) == 2
        assert await client.discovery.refreshed(soon()) is first
        assert [request.headers.get("if-none-match") for request in server.requests[2:]] == ['"7"', '"7"']


async def test_a_kind_that_appears_later_is_found() -> None:
    table = dict(SERVED)
    async with cluster(lambda request: table.get(request.path, NOT_FOUND)) as (client, _):
        await client.discovery.resolve("pods", deadline=soon())
        table["/apis"] = answer(aggregated(group("new.example", v1=[entry("widgets", "Widget")])))
        assert (await client.discovery.resolve("widget", deadline=soon())).group == "new.example"


@promise("F9")
async def test_a_kind_that_went_away_is_told_as_unknown_after_one_refresh() -> None:
    table = dict(SERVED)
    async with cluster(lambda request: table.get(request.path, NOT_FOUND)) as (client, server):
        certificates = await client.discovery.resolve("certificates.cert.example.io", deadline=soon())
        table["/apis"] = answer(aggregated())
        server.requests.clear()
        with pytest.raises(InvalidArgument) as caught:
            await list_page(client, certificates, ListQuery("shop"), item=dict, deadline=soon())
    assert caught.value.code == "unknown_kind"
    assert "no longer serves certificates.cert.example.io" in caught.value.text
    assert len(server.requests) == 3


async def test_a_path_that_is_missing_though_its_kind_is_served_is_unsupported() -> None:
    async with cluster(routes(SERVED)) as (client, _):
        pods = await client.discovery.resolve("pods", deadline=soon())
        with pytest.raises(BackendError) as caught:
            await client.get(pods, "web", deadline=soon(), subresource="nothing")
    assert caught.value.code == "unsupported"


def listed(name: str, kind: str, **more: object) -> dict[str, object]:
    """A resource in the document of one group and version."""
    return {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["list"], **more}


def versions(group_name: str, *names: str, preferred: str) -> dict[str, object]:
    """A group in the list of groups."""
    offered = [{"groupVersion": f"{group_name}/{name}", "version": name} for name in names]
    return {"name": group_name, "versions": offered, "preferredVersion": {"version": preferred}}


LEGACY = {
    "/api": answer({"kind": "APIVersions", "versions": ["v1"]}),
    "/apis": answer(
        {
            "kind": "APIGroupList",
            "groups": [
                versions("autoscaling", "v1", "v2", preferred="v2"),
                versions("dead.example", "v1", preferred="v1"),
            ],
        }
    ),
    "/api/v1": answer({"resources": [listed("pods", "Pod", shortNames=["po"]), listed("pods/log", "Pod")]}),
    "/apis/autoscaling/v1": answer({"resources": [listed("scalers", "Scaler")]}),
    "/apis/autoscaling/v2": answer({"resources": [listed("scalers", "Scaler")]}),
    "/apis/dead.example/v1": answer("service unavailable", status=503, kind="text/plain"),
}


async def test_a_server_without_the_aggregated_form_is_asked_group_by_group_and_dead_groups_are_named() -> None:
    async with cluster(routes(LEGACY)) as (client, _):
        pods = await client.discovery.resolve("po", deadline=soon())
        assert (pods.kind, list(pods.subresources), pods.namespaced) == ("Pod", ["log"], True)
        assert (await client.discovery.resolve("scaler", deadline=soon())).version == "v2"
        groups = (await client.discovery.catalogue(soon())).groups
        assert [(item.name, item.preferred, item.stale) for item in groups] == [
            ("", "v1", False),
            ("autoscaling", "v2", False),
            ("dead.example", "v1", True),
        ]
        with pytest.raises(InvalidArgument, match=r"APIs that do not answer now: dead\.example"):
            await client.discovery.resolve("thing", deadline=soon())
