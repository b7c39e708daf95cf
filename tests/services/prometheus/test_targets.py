"""`prometheus_targets`: health, discovery and relabelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from tests.calls import desk
from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.services.prometheus.history import HIDDEN

if TYPE_CHECKING:
    from tests.calls import Desk
    from tests.services.prometheus.servers import Running


async def test_the_summary_counts_by_pool_and_lists_what_is_not_up(main: Desk) -> None:
    shown = await main.ask("targets")
    assert shown.text.startswith("main: 3 targets: 2 up, 1 down, 0 unknown")
    assert [row[:4] for row in shown.rows[:3]] == [
        ["down", "0", "1", "0"],
        ["self", "1", "0", "0"],
        ["shop", "1", "0", "0"],
    ]
    assert shown.rows[3][:3] == ["down", "127.0.0.1:1", "down"]
    assert "connection refused" in shown.rows[3][5]


async def test_the_summary_says_when_all_targets_are_up(main: Desk) -> None:
    shown = await main.ask("targets", pool="shop")
    assert "all of them are up" in shown.text
    assert len(shown.rows) == 1


async def test_targets_are_those_of_the_api_with_unhealthy_ones_first(main: Desk, server: Running) -> None:
    shown = await main.ask("targets", view="targets")
    raw = {target["labels"]["instance"]: target["health"] for target in server.api("/targets")["activeTargets"]}
    assert {row[1]: row[2] for row in shown.rows} == raw
    assert shown.rows[0][2] == "down"
    assert [row[6] for row in shown.rows if row[0] == "shop"] == ['{team="checkout"}']
    assert all(row[5] == "1s" for row in shown.rows)


async def test_parameters_with_secrets_are_masked_in_errors_of_targets(main: Desk) -> None:
    for view in ("summary", "targets", "dropped"):
        assert HIDDEN not in (await main.ask("targets", view=view)).text
    assert "module=x&token=***" in (await main.ask("targets")).text


@pytest.mark.parametrize(
    ("arguments", "pools"),
    [
        ({"health": "down"}, ["down"]),
        ({"health": "unknown"}, []),
        ({"pool": "self"}, ["self"]),
        ({"pool": "self", "health": "down"}, []),
        ({"search": "CHECKOUT"}, ["shop"]),
        ({"search": "127.0.0.1:1/"}, ["down"]),
    ],
)
async def test_targets_are_filtered(main: Desk, arguments: dict[str, object], pools: list[str]) -> None:
    shown = await main.ask("targets", view="targets", **arguments)
    assert [row[0] for row in shown.rows] == pools
    if not pools:
        assert shown.text.startswith("main: no targets with ")


@pytest.mark.parametrize("view", ["summary", "targets"])
async def test_an_unknown_pool_is_not_found_with_near_names(main: Desk, view: str) -> None:
    with pytest.raises(ToolError) as caught:
        await main.ask("targets", view=view, pool="shopp")
    assert caught.value.code == "not_found"
    assert "no scrape pool 'shopp'; pools: shop" in caught.value.text


async def test_a_version_that_lists_no_pools_answers_an_unknown_one_with_no_targets() -> None:
    """Before 2.42 there is no list of pools: 404."""
    none = answer({"status": "success", "data": {"activeTargets": [], "droppedTargets": []}})
    lacking = answer("404 page not found\n", status=404)
    async with (
        fault_server(choose=lambda request: lacking if "scrape_pools" in request.path else none) as server,
        desk("prometheus", {"targets": {"old": {"url": server.url}}}) as prometheus,
    ):
        assert (await prometheus.ask("targets", pool="shop")).text == "old: no targets with pool 'shop'"


async def test_pages_of_the_summary_show_every_pool_and_every_troubled_target_once(main: Desk) -> None:
    rows: list[list[str]] = []
    shown = await main.ask("targets", limit=1)
    for _ in range(5):
        rows += shown.rows
        if not shown.cursor:
            break
        shown = await main.ask("targets", limit=1, cursor=shown.cursor)
    assert sorted(row[0] for row in rows) == ["down", "down", "self", "shop"]


async def test_pages_of_targets_show_each_once(main: Desk) -> None:
    first = await main.ask("targets", view="targets", limit=2)
    second = await main.ask("targets", view="targets", limit=2, cursor=first.cursor)
    assert [row[0] for row in first.rows + second.rows] == ["down", "self", "shop"]
    assert not second.cursor


async def test_dropped_targets_show_address_job_and_kind(main: Desk) -> None:
    shown = await main.ask("targets", view="dropped")
    assert shown.rows == [["dropped", "127.0.0.1:2", "dropped", "static"]]
    assert (await main.ask("targets", view="dropped", pool="self")).rows == []
    assert (await main.ask("targets", view="dropped", search=":2")).rows == shown.rows


async def test_the_kind_of_discovery_and_hidden_targets_are_told() -> None:
    labels = {"__address__": "10.0.0.1:80", "__meta_kubernetes_pod_name": "web", "job": "pods"}
    data = {
        "activeTargets": [],
        "droppedTargets": [{"discoveredLabels": labels, "scrapePool": "pods"}],
        "droppedTargetCounts": {"pods": 41, "other": 1},
    }
    async with (
        fault_server(answer({"status": "success", "data": data})) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("targets", view="dropped", pool="pods")
    assert shown.rows == [["pods", "10.0.0.1:80", "pods", "kubernetes"]]
    assert "41 were dropped; the server keeps only some of them" in shown.text


async def test_pools_without_targets_are_listed_too(main: Desk, server: Running) -> None:
    shown = await main.ask("targets", view="pools")
    assert [row[0] for row in shown.rows] == sorted(server.api("/scrape_pools")["scrapePools"])
    assert [row[0] for row in (await main.ask("targets", view="pools", search="DRO")).rows] == ["dropped"]


async def test_relabelling_is_shown_step_by_step(main: Desk) -> None:
    shown = await main.ask("targets", view="relabel", pool="dropped")
    assert "relabelling of 127.0.0.1:2 in pool dropped: 2 steps, dropped" in shown.text
    assert [[row[0], row[1], row[6], row[7]] for row in shown.rows] == [
        ["1", "replace", "zone=north", "True"],
        ["2", "drop", "dropped", "False"],
    ]


async def test_relabelling_of_a_pool_without_rules_says_that_the_target_is_kept(main: Desk) -> None:
    shown = await main.ask("targets", view="relabel", pool="down")
    assert "0 steps, kept" in shown.text
    assert HIDDEN not in shown.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pool": "sop"}, "no scrape pool 'sop'; pools: shop"),
        ({"pool": "shop", "search": "elsewhere"}, "pool 'shop' has no target with search 'elsewhere'"),
    ],
)
async def test_an_unknown_pool_or_target_is_not_found(main: Desk, arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        await main.ask("targets", view="relabel", **arguments)
    assert caught.value.code == "not_found"
    assert said in caught.value.text


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"view": "relabel"}, "pool"),
        ({"view": "dropped", "health": "up"}, "health"),
        ({"view": "pools", "pool": "self"}, "pool"),
        ({"view": "relabel", "pool": "self", "limit": 3}, "limit"),
        ({"health": "sick"}, "health"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_by_name(
    main: Desk, arguments: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await main.ask("targets", **arguments)
    assert caught.value.field == field


async def test_an_agent_serves_its_targets(agent_desk: Desk) -> None:
    assert (await agent_desk.ask("targets", view="targets")).rows[0][:3:2] == ["self", "up"]


@pytest.mark.parametrize("view", ["summary", "targets", "dropped", "pools"])
async def test_a_backend_that_scrapes_nothing_is_unsupported_with_an_alternative(view: str) -> None:
    """Thanos Query and Mimir have no targets API: 404."""
    async with (
        fault_server(answer("404 page not found\n", status=404)) as server,
        desk("prometheus", {"targets": {"thanos": {"url": server.url}}}) as prometheus,
    ):
        with pytest.raises(BackendError) as caught:
            await prometheus.ask("targets", view=view)
    assert (caught.value.code, caught.value.kind) == ("unsupported", "final")
    assert "up == 0" in caught.value.text or "view=summary" in caught.value.text


async def test_a_thousand_targets_are_read_and_paged() -> None:
    def target(number: int) -> dict[str, object]:
        return {
            "discoveredLabels": {"__address__": f"10.0.0.{number}:80"},
            "labels": {"instance": f"10.0.0.{number:04}:80", "job": "web"},
            "scrapePool": "web",
            "scrapeUrl": f"http://10.0.0.{number:04}/metrics",
            "health": "up" if number % 10 else "down",
            "lastScrape": "0001-01-01T00:00:00Z",
        }

    data = {"activeTargets": [target(number) for number in range(1000)], "droppedTargets": []}
    async with (
        fault_server(answer({"status": "success", "data": data})) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("targets", limit=500)
        assert "1000 targets: 900 up, 100 down, 0 unknown" in shown.text
        assert len(shown.rows) == 1 + 100
        assert shown.rows[1][3] == ""
