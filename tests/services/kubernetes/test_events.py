"""kubernetes_events on the lab's cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import CANARY, scene
from tests.promises import promise
from tests.services.kubernetes.clusters import Counter, clusters, error_of
from tests.services.kubernetes.kubectl import kubectl_json

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Answer, Desk

LONG = "20d"


def column(answer: Answer, name: str) -> list[str]:
    """The cells of a column of the only table."""
    lines = answer.text.partition("<untrusted")[2].splitlines()[1:]
    at = lines[0].split("\t").index(name)
    return [row[at] for row in answer.rows]


async def test_without_a_name_only_warnings_are_shown_and_all_types_of_a_named_object(cluster: Desk) -> None:
    warnings = await cluster.ask("events", since=LONG, namespace=scene.PAYMENTS)
    assert set(column(warnings, "TYPE")) == {"Warning"}
    named = await cluster.ask("events", since=LONG, namespace=scene.PAYMENTS, kind="deploy", name=scene.CRASH_LOOP.name)
    assert set(column(named, "TYPE")) == {"Warning", "Normal"}
    everything = await cluster.ask("events", since=LONG, namespace=scene.PAYMENTS, type="all", limit=200)
    assert {"Warning", "Normal"} == set(column(everything, "TYPE"))


async def test_a_workload_also_has_the_events_of_what_it_owns(cluster: Desk) -> None:
    found = await cluster.ask("events", since=LONG, namespace=scene.PAYMENTS, kind="deploy", name="frontdoor")
    kinds = {row.split()[0] for row in column(found, "OBJECT")}
    assert {"Deployment", "ReplicaSet", "Pod"} <= kinds
    assert all("frontdoor" in row for row in column(found, "OBJECT"))


async def test_repeats_over_the_pods_of_a_workload_are_one_row(cluster: Desk) -> None:
    asked = {"namespace": scene.PAYMENTS, "reason": "Unhealthy", "since": LONG}
    grouped = await cluster.ask("events", **asked)
    assert column(grouped, "COUNT") == [str(2 * scene.UNHEALTHY_COUNT)]
    single = await cluster.ask("events", **asked, group=False)
    assert column(single, "COUNT") == [str(scene.UNHEALTHY_COUNT)] * 2
    assert column(single, "SOURCE") == ["kubelet"] * 2


async def test_events_of_the_newer_style_are_counted_by_their_series(cluster: Desk) -> None:
    found = await cluster.ask("events", since=LONG, namespace=scene.PLATFORM, reason="BackupFailed", group=False)
    assert column(found, "COUNT") == ["17"]
    assert column(found, "SOURCE") == ["operator.example.com"]


async def test_events_come_newest_first_and_every_one_once_over_the_pages(lab: LabEnv, cluster: Desk) -> None:
    asked: dict[str, object] = {"since": LONG, "namespace": scene.SHOP, "type": "all", "group": False, "limit": 20}
    rows: list[tuple[str, ...]] = []
    cursor: dict[str, object] = {}
    while True:
        found = await cluster.ask("events", **asked, **cursor)
        shown = int(found.text.rpartition("shown ")[2].split()[0])
        rows += [tuple(row) for row in found.rows[:shown]]
        if not found.cursor:
            break
        cursor = {"cursor": found.cursor}
    held = (await kubectl_json(lab, "get", "events", "-n", scene.SHOP))["items"]
    assert len(rows) == len(held)


async def test_text_and_time_are_looked_for_in_all_events_before_the_limit(cluster: Desk) -> None:
    found = await cluster.ask("events", since=LONG, type="all", query="WISH LIST no such text")
    assert found.rows == []
    assert "matched 0 of" in found.text
    found = await cluster.ask("events", since=LONG, query="statuscode: 503", limit=1)
    assert len(found.rows) == 1
    none = await cluster.ask("events", since="1s", namespace=scene.SHOP, reason="Unhealthy")
    assert none.rows == []


@promise("B14")
@pytest.mark.parametrize("since", ["2999-01-01T00:00:00Z", "soon", "2026-01-01T00:00:00", "-5m", "1 fortnight", ""])
async def test_an_odd_window_is_refused_before_anything_is_sent(lab: LabEnv, since: str) -> None:
    counter = Counter()
    async with clusters(observer=counter, lab=lab.kubeconfig_admin) as desk:
        error = await error_of(desk.ask("events", since=since))
    assert error.code == "invalid_argument"
    assert "since" in error.text
    assert counter.outcomes == []


@promise("B14")
async def test_a_window_longer_than_events_are_held_is_said(cluster: Desk) -> None:
    found = await cluster.ask("events", since="3650d", namespace=scene.VACANT)
    assert "API servers keep events for about an hour" in found.text
    short = await cluster.ask("events", since="10m", namespace=scene.VACANT)
    assert "API servers keep" not in short.text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"name": "web"}, "invalid_argument", "kind"),
        ({"kind": "deplyment", "name": "web"}, "unknown_kind", "deployment"),
        ({"kind": "deploy", "name": "../web", "namespace": "shop"}, "invalid_argument", "name"),
        ({"reason": "Back,type!=Warning"}, "invalid_argument", "reason"),
        ({"namespace": "a/b"}, "invalid_argument", "namespace"),
        ({"limit": 201}, "invalid_argument", "limit"),
        ({"cursor": "forged"}, "invalid_cursor", "cursor"),
    ],
)
async def test_wrong_arguments_are_refused(cluster: Desk, arguments: dict[str, object], code: str, words: str) -> None:
    error = await error_of(cluster.ask("events", **arguments))
    assert error.code == code
    assert words in error.text


async def test_what_explains_that_there_are_none_is_said(cluster: Desk) -> None:
    wrong_name = await cluster.ask("events", namespace=scene.SHOP, kind="deploy", name="wbe")
    assert "no Deployment wbe in namespace shop on lab; near: web" in wrong_name.text
    wrong_namespace = await cluster.ask("events", namespace="shopp")
    assert "namespace shopp does not exist on lab; near: shop" in wrong_namespace.text
    quiet = await cluster.ask("events", namespace=scene.SHOP, kind="cm", name="web-settings")
    assert quiet.rows == []
    assert "no ConfigMap" not in quiet.text


async def test_events_that_may_not_be_listed_are_refused(nobody: Desk) -> None:
    error = await error_of(nobody.ask("events", namespace=scene.SHOP))
    assert (error.code, "events" in error.text) == ("forbidden", True)


async def test_a_dead_cluster_leaves_the_others(half_dead: Desk) -> None:
    found = await half_dead.ask("events", since=LONG, target="*", reason="Unhealthy")
    assert set(column(found, "CLUSTER")) == {"lab"}
    assert "partial: dead: unreachable" in found.text


@promise("S4")
async def test_no_event_holds_a_secret(cluster: Desk) -> None:
    for group in (True, False):
        found = await cluster.ask("events", since=LONG, namespace=scene.SHOP, type="all", group=group, limit=200)
        assert "Liveness probe failed" in found.text
        assert CANARY not in found.text
    described = await cluster.ask("events", since=LONG, namespace=scene.SHOP, kind="deploy", name="gateway")
    assert CANARY not in described.text


@promise("S13")
async def test_messages_come_inside_an_envelope(cluster: Desk) -> None:
    found = await cluster.ask("events", since=LONG, namespace=scene.PAYMENTS)
    before, _, inside = found.text.partition("<untrusted")
    assert "Readiness probe failed" in inside.partition("</untrusted>")[0]
    assert "Readiness probe failed" not in before
