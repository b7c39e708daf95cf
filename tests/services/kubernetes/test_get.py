"""kubernetes_get on the lab's cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from lab import CANARY, scene
from tests.contract_servers.kubelet_proxy import in_front
from tests.fault_server.behaviours import answer as answer_of
from tests.promises import promise
from tests.services.kubernetes.clusters import Counter, clusters, error_of, scripted
from tests.services.kubernetes.kubectl import kubectl, kubectl_json
from tests.services.kubernetes.scripts import discovery, not_allowed, routes

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch
    from tests.services.kubernetes.scripts import Choose

VIEWS = ("describe", "yaml", "json", "export", "status", "tree")
SECRETS = (
    scene.OPAQUE_SECRET,
    scene.BASIC_AUTH_SECRET,
    scene.REGISTRY_SECRET,
    scene.TLS_SECRET,
    scene.APPLIED_SECRET,
)


def inside(answer: Answer) -> str:
    """What is in the only envelope of an answer."""
    assert answer.text.count("<untrusted") == 1
    return answer.text.partition("<untrusted")[2].partition(">\n")[2].partition("\n</untrusted>")[0]


@pytest.mark.parametrize("view", ["yaml", "json", "export", "status"])
async def test_a_document_is_one_request(lab: LabEnv, view: str) -> None:
    counter = Counter()
    async with clusters(observer=counter, lab=lab.kubeconfig_admin) as desk:
        await desk.ask("list", kind="deploy", namespace=scene.SHOP, limit=1)
        counter.outcomes.clear()
        await desk.ask("get", kind="deploy", name="web", namespace=scene.SHOP, view=view)
    assert counter.outcomes == ["200"]


async def test_yaml_and_json_are_the_object_without_what_the_server_keeps_for_itself(
    lab: LabEnv, cluster: Desk
) -> None:
    expected = await kubectl_json(lab, "get", "deploy", "web", "-n", scene.SHOP)
    for view, read in (("yaml", yaml.safe_load), ("json", json.loads)):
        found = read(inside(await cluster.ask("get", kind="deploy", name="web", namespace=scene.SHOP, view=view)))
        assert found == expected


async def test_an_export_can_be_applied_elsewhere(lab: LabEnv, cluster: Desk, tmp_path: object) -> None:
    for kind, name in (("deploy", "web"), ("svc", "web"), ("cm", "web-settings"), ("sts", "db"), ("pod", "toolbox")):
        answer = await cluster.ask("get", kind=kind, name=name, namespace=scene.SHOP, view="export")
        manifest = yaml.safe_load(inside(answer))
        manifest["metadata"]["namespace"] = scene.VACANT
        path = f"{tmp_path}/{kind}-{name}.json"
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123, ASYNC230 - a few hundred bytes
            json.dump(manifest, file)
        printed = await kubectl(lab, "apply", "--dry-run=server", "-f", path)
        assert "created (server dry run)" in printed


async def test_several_names_are_shown_and_the_missing_one_is_named(cluster: Desk) -> None:
    answer = await cluster.ask("get", kind="svc", name="web, webb,api", namespace=scene.SHOP)
    assert "Service web, api in namespace shop (2 of 3)" in answer.text
    assert 'source="Service web"' in answer.text
    assert 'source="Service api"' in answer.text
    assert "partial: not_found: no Service webb in namespace shop on lab; near: web" in answer.text


async def test_chosen_fields_of_several_objects_are_a_table(cluster: Desk) -> None:
    answer = await cluster.ask(
        "get", kind="deploy", name="web,api", namespace=scene.SHOP, fields=[".spec.replicas", ".metadata.uid"]
    )
    assert [row[:2] for row in answer.rows] == [["web", "3"], ["api", "2"]]
    assert "<untrusted" in answer.text


@promise("S4")
@pytest.mark.parametrize("role", SECRETS, ids=lambda role: role.name)
@pytest.mark.parametrize("view", VIEWS)
async def test_no_view_of_a_secret_holds_its_values(cluster: Desk, role: scene.Role, view: str) -> None:
    answer = await cluster.ask("get", kind="secret", name=role.name, namespace=role.namespace, view=view)
    assert CANARY not in answer.text
    assert "Y25yeS1" not in answer.text
    assert "PRIVATE KEY" not in answer.text
    assert "last-applied" not in answer.text


@promise("S4")
@pytest.mark.parametrize("fields", [["$"], [".data"], ["$..*"], [".metadata.annotations"], [".data.token"]])
async def test_no_field_of_a_secret_holds_its_value(cluster: Desk, fields: list[str]) -> None:
    names = ",".join(role.name for role in SECRETS)
    answer = await cluster.ask("get", kind="secret", name=names, namespace=scene.SHOP, fields=fields)
    assert CANARY not in answer.text
    assert "Y25yeS1" not in answer.text


async def test_equal_values_have_equal_digests_in_every_view(cluster: Desk) -> None:
    described = await cluster.ask("get", kind="secret", name="api-keys,legacy-config", namespace=scene.SHOP)
    digests = [line.split("\t")[2] for line in described.text.splitlines() if line.startswith(("stripe", "token"))]
    assert len(digests) == 2
    assert len(set(digests)) == 1
    shown = await cluster.ask("get", kind="secret", name="api-keys", namespace=scene.SHOP, view="yaml")
    assert f"<25 bytes, sha {digests[0]}>" in shown.text


async def test_a_certificate_is_described_by_its_public_part(cluster: Desk) -> None:
    answer = await cluster.ask("get", kind="secret", name=scene.TLS_SECRET.name, namespace=scene.SHOP)
    assert f"subject: CN={scene.TLS_NAME}" in answer.text
    assert "issuer: CN=shop-ca" in answer.text
    assert f"names: {scene.TLS_NAME}" in answer.text
    assert "EXPIRED" not in answer.text
    assert "valid until: 20" in answer.text


@promise("S13")
async def test_orders_in_an_annotation_stay_inside_the_envelope(cluster: Desk) -> None:
    for view in ("describe", "yaml", "json", "export"):
        answer = await cluster.ask("get", kind="deploy", name="comments", namespace=scene.SHOP, view=view)
        before, _, rest = answer.text.partition("<untrusted")
        body, _, after = rest.partition("</untrusted>")
        assert scene.ORDERS in body
        assert scene.ORDERS not in before + after


async def test_events_that_may_not_be_read_do_not_hide_the_object() -> None:
    pages: dict[str, Choose] = {
        "/api/v1/namespaces/here/pods/one": lambda _: answer_of({"metadata": {"name": "one", "namespace": "here"}}),
        "/api/v1/namespaces/here/events": lambda _: not_allowed("events"),
    }
    async with scripted(routes(discovery(), pages)) as desk:
        answer = await desk.ask("get", kind="pod", name="one")
    assert "Pod one in namespace here" in answer.text
    assert "events: not read (forbidden)" in answer.text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            {"kind": "deploy", "name": "wbe", "namespace": scene.SHOP},
            "not_found",
            "no Deployment wbe in namespace shop",
        ),
        ({"kind": "deploy", "name": "web", "namespace": "shopp"}, "not_found", "namespace shopp does not exist"),
        ({"kind": "deploy", "name": "web"}, "not_found", "shop/web"),
        ({"kind": "node", "name": "nod-1"}, "not_found", "near: node-"),
        ({"kind": "deplomyent", "name": "web"}, "unknown_kind", "deployment"),
        ({"kind": "deploy", "name": "web", "fields": [".spec[?("]}, "invalid_jsonpath", "fields"),
        ({"kind": "deploy", "name": " , "}, "invalid_argument", "name"),
        ({"kind": "deploy", "name": ",".join("abcdefghijk")}, "invalid_argument", "at most 10"),
        ({"kind": "deploy", "name": "web", "depth": 5}, "invalid_argument", "depth"),
        ({"kind": "deploy", "name": "web", "view": "raw"}, "invalid_argument", "view"),
    ],
)
async def test_wrong_calls_are_refused_with_what_would_help(
    cluster: Desk, arguments: dict[str, object], code: str, words: str
) -> None:
    error = await error_of(cluster.ask("get", **arguments))
    assert error.code == code
    assert words in error.text


@promise("B11")
@pytest.mark.parametrize(
    "name", ["../web", "a/b", "a%2Fb", "x" * 254, "Web", ";id", "$(id)", "a\nb", "--all", "🙂", "."]
)
async def test_a_name_that_is_none_is_refused_before_the_object_is_asked_for(lab: LabEnv, name: str) -> None:
    counter = Counter()
    async with clusters(observer=counter, lab=lab.kubeconfig_admin) as desk:
        await desk.ask("list", kind="deploy", limit=1)
        counter.outcomes.clear()
        error = await error_of(desk.ask("get", kind="deploy", name=name, namespace=scene.SHOP))
    assert error.code == "invalid_argument"
    assert error.text.startswith("name")
    assert counter.outcomes == []


async def test_what_may_not_be_read_is_refused(viewer: Desk, nobody: Desk) -> None:
    error = await error_of(viewer.ask("get", kind="secret", name="api-keys", namespace=scene.SHOP))
    assert (error.code, "secrets" in error.text, scene.SHOP in error.text) == ("forbidden", True, True)
    assert (await error_of(nobody.ask("get", kind="pod", name="toolbox", namespace=scene.SHOP))).code == "forbidden"


async def test_a_dead_cluster_is_named(half_dead: Desk) -> None:
    error = await error_of(half_dead.ask("get", kind="pod", name="toolbox", target="dead"))
    assert error.code == "unreachable"


async def test_ten_descriptions_stay_inside_the_budget(cluster: Desk) -> None:
    listed = await cluster.ask("list", kind="pods", namespace=scene.PAYMENTS, columns="name", limit=10)
    names = ",".join(row[0] for row in listed.rows)
    answer = await cluster.ask("get", kind="pod", name=names, namespace=scene.PAYMENTS)
    assert len(answer.text.encode()) <= 40_000
    assert answer.text.count("<untrusted") == 10


async def test_several_names_are_one_list_where_there_is_not_much_else(lab: LabEnv, scratch: Scratch) -> None:
    names = [f"map-{number}" for number in range(6)]
    for name in names:
        scratch.make("ConfigMap", name, data={"is": name})
    async with in_front(lab.kubeconfig_admin) as (desk, server):
        asked = {"kind": "configmap", "namespace": scratch.namespace, "view": "yaml"}
        shown = await desk.ask("get", name=",".join([*names, "none"]), **asked)
        assert all(f"is: {name}" in shown.text for name in names)
        assert "not_found: no ConfigMap none" in shown.text
        maps = [one.target for one in server.requests if "/configmaps" in one.path]
        assert len([target for target in maps if "limit=35" in target]) == 1
        assert not [target for target in maps if "/configmaps/map-" in target]


async def test_several_names_among_many_objects_are_all_found(lab: LabEnv, scratch: Scratch) -> None:
    for number in range(30):
        scratch.make("ConfigMap", f"map-{number:02}", data={"is": f"m{number}"})
    names = ["map-00", "map-10", "map-20", "map-29"]
    async with clusters(lab=lab.kubeconfig_admin) as desk:
        shown = await desk.ask("get", kind="configmap", namespace=scratch.namespace, name=",".join(names), view="yaml")
    assert all(f"is: m{number}\n" in shown.text for number in (0, 10, 20, 29))
