"""kubernetes_list on the lab's cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import CANARY, scene
from tests.promises import promise
from tests.services.kubernetes.clusters import Counter, clusters, error_of, scripted
from tests.services.kubernetes.kubectl import kubectl_json
from tests.services.kubernetes.scripts import PODS, discovery, not_allowed, routes, status

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scripts import Choose

EVERYTHING = "pods,deployments,services,configmaps,secrets,endpointslices,events,nodes"


async def names_of(lab: LabEnv, kind: str) -> set[tuple[str, str]]:
    """Namespace and name of every object of a kind, by kubectl."""
    listed = await kubectl_json(lab, "get", kind, "-A")
    return {(one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in listed["items"]}


async def walk(desk: Desk, **arguments: object) -> list[list[list[str]]]:
    """The rows shown by each answer, from the first to the last page."""
    pages: list[list[list[str]]] = []
    cursor: dict[str, object] = {}
    while True:
        found = await desk.ask("list", **arguments, **cursor)
        shown = int(found.text.rpartition("shown ")[2].split()[0].rstrip(","))
        pages.append(found.rows[:shown])
        assert len(found.text.encode()) <= 40_000
        if not found.cursor:
            return pages
        cursor = {"cursor": found.cursor}


async def test_a_warm_list_is_one_request(lab: LabEnv) -> None:
    counter = Counter()
    async with clusters(observer=counter, lab=lab.kubeconfig_admin) as desk:
        await desk.ask("list", kind="pods")
        counter.outcomes.clear()
        await desk.ask("list", kind="pods", namespace=scene.SHOP)
        await desk.ask("list", kind="deploy", columns="labels")
    assert counter.outcomes == ["200", "200"]


async def test_the_cursor_walks_every_row_once(lab: LabEnv, cluster: Desk) -> None:
    pages = await walk(cluster, kind="pods", limit=7)
    rows = [(row[0], row[1]) for page in pages for row in page]
    assert all(len(page) <= 7 for page in pages)
    assert len(rows) == len(set(rows))
    assert set(rows) == await names_of(lab, "pods")


async def test_rows_that_do_not_fit_the_budget_are_shown_by_the_next_answer(lab: LabEnv, cluster: Desk) -> None:
    pages = await walk(cluster, kind="pods", limit=500, fields=[".metadata", ".spec"])
    assert len(pages) > 1
    rows = [(row[0], row[1]) for page in pages for row in page]
    assert len(rows) == len(set(rows))
    assert set(rows) == await names_of(lab, "pods")


async def test_the_cursor_walks_several_kinds(lab: LabEnv, cluster: Desk) -> None:
    pages = await walk(cluster, kind="deploy,svc,cm", limit=5)
    rows = [tuple(row[:2]) for page in pages for row in page]
    expected = [len(await names_of(lab, kind)) for kind in ("deploy", "svc", "cm")]
    assert len(rows) == sum(expected)


async def test_the_cursor_walks_several_clusters(lab: LabEnv) -> None:
    async with clusters(a=lab.kubeconfig_admin, b=lab.kubeconfig_viewer) as desk:
        pages = await walk(desk, kind="deploy", target="*", limit=7)
        first = await desk.ask("list", kind="deploy", target="*", limit=7)
    rows = [tuple(row[:3]) for page in pages for row in page]
    expected = await names_of(lab, "deploy")
    assert len(rows) == 2 * len(expected)
    assert set(rows) == {(cluster, *name) for cluster in ("a", "b") for name in expected}
    assert "CLUSTER\tNAMESPACE\tNAME" in first.text


async def test_rows_of_several_clusters_are_one_table_when_sorted_too(lab: LabEnv) -> None:
    async with clusters(a=lab.kubeconfig_admin, b=lab.kubeconfig_viewer) as desk:
        found = await desk.ask("list", kind="sts", target="*", sort_by="NAME", columns="name")
    assert found.text.count("CLUSTER") == 1
    assert [row[0] for row in found.rows] == ["a", "a", "b", "b"]


async def test_a_search_goes_on_after_the_rows_shown(lab: LabEnv, cluster: Desk) -> None:
    pages = await walk(cluster, kind="deploy", query="registry.example.com", limit=4)
    rows = [tuple(row[:2]) for page in pages for row in page]
    assert len(rows) == len(set(rows))
    assert set(rows) == await names_of(lab, "deploy")


async def test_sorting_looks_at_every_row_before_the_first_is_shown(cluster: Desk) -> None:
    pages = await walk(cluster, kind="pods", sort_by="-RESTARTS", limit=5)
    restarts = [int(row[4].split()[0]) for page in pages for row in page]
    assert restarts[:2] == [scene.CRASH_RESTARTS, scene.OOM_RESTARTS]
    assert restarts == sorted(restarts, reverse=True)


async def test_empty_cells_come_last_in_either_order(cluster: Desk) -> None:
    for sort_by in (".spec.nodeName", "-.spec.nodeName"):
        found = await cluster.ask(
            "list", kind="pods", namespace=scene.PAYMENTS, sort_by=sort_by, fields=[".spec.nodeName"]
        )
        nodes = [row[1] for row in found.rows]
        assert nodes[-2:] == ["", ""]
        assert nodes[:-2] == sorted(nodes[:-2], reverse=sort_by.startswith("-"))


async def test_counting_by_a_path_counts_every_object(lab: LabEnv, cluster: Desk) -> None:
    found = await cluster.ask("list", kind="pods", count_by=".metadata.namespace", limit=500)
    counts = {row[0]: int(row[1]) for row in found.rows}
    assert sum(counts.values()) == len(await names_of(lab, "pods"))
    assert counts[scene.PLATFORM] == 6
    assert list(counts.values()) == sorted(counts.values(), reverse=True)


async def test_all_means_the_common_kinds_and_never_secrets(cluster: Desk) -> None:
    found = await cluster.ask("list", kind="all", namespace=scene.SHOP)
    for kind in ("pods", "deployments.apps", "services", "ingresses", "configmaps", "persistentvolumeclaims"):
        assert f"{kind}" in found.text
    assert "secret" not in found.text
    assert "none: daemonsets.apps on lab" in found.text


@pytest.mark.parametrize("query", ["10.", "kwok.x-k8s.io", "SHOP/WEB:1.3", "app=web"])
async def test_a_search_finds_addresses_annotations_images_and_labels_in_any_case(cluster: Desk, query: str) -> None:
    found = await cluster.ask("list", kind="pods", namespace=scene.SHOP, query=query)
    assert any(row[0].startswith("web-") for row in found.rows)


async def test_what_is_not_there_is_not_found(cluster: Desk) -> None:
    found = await cluster.ask("list", kind="pods", query="no such thing anywhere")
    assert found.rows == []
    assert "nothing found among" in found.text


async def test_selectors_are_applied_by_the_server(cluster: Desk) -> None:
    by_label = await cluster.ask("list", kind="pods", label_selector="app in (web),!nothing")
    assert {row[0] for row in by_label.rows} == {scene.SHOP}
    by_field = await cluster.ask("list", kind="pods", field_selector="status.phase=Pending")
    assert len(by_field.rows) >= 2
    assert all(row[3] in {"Pending", "ImagePullBackOff", "CreateContainerConfigError"} for row in by_field.rows)


async def test_a_namespace_that_does_not_exist_is_said_with_the_nearest(cluster: Desk) -> None:
    found = await cluster.ask("list", kind="pods", namespace="payment")
    assert "namespace payment does not exist on lab; near: payments" in found.text


async def test_an_empty_namespace_is_just_empty(cluster: Desk) -> None:
    found = await cluster.ask("list", kind="pods", namespace=scene.VACANT)
    assert "nothing found" in found.text
    assert "does not exist" not in found.text


@promise("S4")
@pytest.mark.parametrize(
    "arguments",
    [
        {"columns": "wide"},
        {"columns": "labels"},
        {"fields": [".data", ".stringData", ".metadata.annotations"]},
        {"fields": ["$"]},
        {"fields": ["$..token", ".data.*", "$..stripe"]},
        {"count_by": ".data.token"},
        {"sort_by": ".data.token", "fields": [".data"]},
        {"query": "a", "fields": [".data"]},
    ],
    ids=str,
)
async def test_no_list_of_secrets_holds_a_value(cluster: Desk, arguments: dict[str, object]) -> None:
    found = await cluster.ask("list", kind="secrets", limit=500, **arguments)
    assert CANARY not in found.text
    assert "Y25yeS1" not in found.text  # the beginning of the canary in base64


@promise("S4")
async def test_secrets_cannot_be_searched_for_their_values(cluster: Desk) -> None:
    for part in (CANARY[:12], "Y25yeS1"):
        found = await cluster.ask("list", kind="secrets", query=part)
        assert "nothing found among" in found.text


@promise("S4")
@pytest.mark.parametrize("kind", EVERYTHING.split(","))
async def test_no_field_of_any_object_holds_a_secret(cluster: Desk, kind: str) -> None:
    namespace = {} if kind == "nodes" else {"namespace": scene.SHOP}
    text, cursor = "", dict[str, object]()
    while True:
        found = await cluster.ask("list", kind=kind, fields=["$"], limit=20, **namespace, **cursor)
        text += found.text
        if not found.cursor:
            break
        cursor = {"cursor": found.cursor}
    assert CANARY not in text
    assert "Y25yeS1" not in text


@promise("S13")
async def test_chosen_fields_come_inside_an_envelope(cluster: Desk) -> None:
    found = await cluster.ask(
        "list", kind="deploy", namespace=scene.SHOP, fields=[".metadata.annotations.description"], query="comments"
    )
    before, opened, inside = found.text.partition('<untrusted source="deployments.apps on lab">')
    assert opened
    assert scene.ORDERS in inside.partition("</untrusted>")[0]
    assert scene.ORDERS not in before


async def test_an_unknown_kind_is_refused_with_the_nearest(cluster: Desk) -> None:
    error = await error_of(cluster.ask("list", kind="deploymnts"))
    assert error.code == "unknown_kind"
    assert "deployments" in error.text


async def test_a_kind_of_several_groups_is_refused_with_the_groups() -> None:
    groups = discovery(("one.example.com", "widgets", "Widget"), ("two.example.com", "widgets", "Widget"))
    async with scripted(routes(groups)) as desk:
        error = await error_of(desk.ask("list", kind="widgets"))
    assert error.code == "ambiguous_kind"
    assert "widgets.one.example.com" in error.text
    assert "widgets.two.example.com" in error.text


@promise("B12")
@pytest.mark.parametrize("selector", ["app==web==", "app in web", "a=b=c", "(", "app web", "=x"])
async def test_a_malformed_label_selector_is_refused_before_anything_is_sent(lab: LabEnv, selector: str) -> None:
    counter = Counter()
    async with clusters(observer=counter, lab=lab.kubeconfig_admin) as desk:
        error = await error_of(desk.ask("list", kind="pods", label_selector=selector))
    assert error.code == "invalid_selector"
    assert counter.outcomes == []


@promise("B12")
async def test_a_field_that_the_kind_cannot_be_selected_by_is_refused_in_the_servers_words(cluster: Desk) -> None:
    error = await error_of(cluster.ask("list", kind="pods", field_selector="spec.nonsense=1"))
    assert error.code == "invalid_selector"
    assert "spec.nonsense" in error.text


@promise("B11")
@pytest.mark.parametrize(
    "namespace", ["../x", "a/b", "a%2Fb", "x" * 254, "Shop", ";id", "$(id)", "a\nb", "--all", "🙂"]
)
async def test_a_namespace_that_is_none_is_refused_before_anything_is_sent(lab: LabEnv, namespace: str) -> None:
    counter = Counter()
    async with clusters(observer=counter, lab=lab.kubeconfig_admin) as desk:
        error = await error_of(desk.ask("list", kind="pods", namespace=namespace))
    assert error.code == "invalid_argument"
    assert error.text.startswith("namespace")
    assert counter.outcomes == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"kind": " , "}, "invalid_argument", "kind"),
        ({"kind": ",".join(f"kind{n}" for n in range(21))}, "invalid_argument", "at most 20"),
        ({"kind": "pods", "fields": [".spec["]}, "invalid_jsonpath", "fields"),
        ({"kind": "pods", "sort_by": "-"}, "invalid_argument", "sort_by"),
        ({"kind": "pods", "sort_by": "STATS"}, "invalid_argument", "STATUS"),
        ({"kind": "pods", "count_by": "NODES"}, "invalid_argument", "count_by"),
        ({"kind": "pods", "count_by": "STATUS", "fields": [".spec"]}, "invalid_argument", "count_by"),
        ({"kind": "pods", "limit": 501}, "invalid_argument", "limit"),
        ({"kind": "pods", "cursor": "forged"}, "invalid_cursor", "cursor"),
    ],
)
async def test_wrong_arguments_are_refused(cluster: Desk, arguments: dict[str, object], code: str, words: str) -> None:
    error = await error_of(cluster.ask("list", **arguments))
    assert error.code == code
    assert words in error.text


async def test_what_may_not_be_listed_is_refused_with_verb_resource_and_namespace(viewer: Desk, nobody: Desk) -> None:
    error = await error_of(viewer.ask("list", kind="secrets", namespace=scene.SHOP))
    assert error.code == "forbidden"
    assert "list" in error.text
    assert "secrets" in error.text
    assert scene.SHOP in error.text
    assert (await error_of(nobody.ask("list", kind="pods"))).code == "forbidden"


async def test_a_kind_that_may_not_be_listed_leaves_the_others(viewer: Desk) -> None:
    found = await viewer.ask("list", kind="svc,secrets", namespace=scene.SHOP)
    assert [row[0] for row in found.rows] == ["api", "db", "web"]
    assert "partial: secrets on lab: forbidden" in found.text


async def test_a_dead_cluster_leaves_the_others(half_dead: Desk) -> None:
    found = await half_dead.ask("list", kind="deploy", namespace=scene.SHOP, target="*")
    assert [row[0] for row in found.rows] == ["lab"] * 7
    assert "partial: dead: unreachable" in found.text


async def test_a_dead_cluster_alone_is_an_error(half_dead: Desk) -> None:
    assert (await error_of(half_dead.ask("list", kind="pods", target="dead"))).code == "unreachable"


@promise("F11")
async def test_a_page_that_is_gone_is_refused_also_among_several_kinds() -> None:
    gone = status(410, "Expired", "The provided continue parameter is too old")
    pages: dict[str, Choose] = {"/api/v1/pods": lambda request: gone if "continue=" in request.target else PODS}
    async with scripted(routes(discovery(), pages)) as desk:
        for kind in ("pods", "pods,services"):
            first = await desk.ask("list", kind=kind, limit=1)
            error = await error_of(desk.ask("list", kind=kind, limit=1, cursor=first.cursor))
            assert error.code == "expired_cursor"


async def test_one_kind_may_be_refused_by_a_server_while_another_is_served() -> None:
    pages: dict[str, Choose] = {"/api/v1/pods": lambda _: PODS, "/api/v1/services": lambda _: not_allowed("services")}
    async with scripted(routes(discovery(), pages)) as desk:
        found = await desk.ask("list", kind="services,pods")
    assert "partial: services on scripted: forbidden" in found.text
    assert [row[1] for row in found.rows] == ["one"]
