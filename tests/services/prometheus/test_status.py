"""`prometheus_status`: the server itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.result import Table
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from tests.calls import desk
from tests.fault_server.behaviours import answer, html_login
from tests.fault_server.server import fault_server
from tests.services.prometheus.history import HIDDEN

if TYPE_CHECKING:
    from tests.calls import Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request
    from tests.services.prometheus.servers import Running

VIEWS = ["overview", "cardinality", "blocks", "config", "flags", "features", "walreplay", "notifications"]


async def test_the_overview_tells_readiness_version_retention_and_sizes(main: Desk, server: Running) -> None:
    shown = await main.ask("status")
    facts = {row[0]: row[1] for row in shown.rows}
    assert facts["ready"] == "yes"
    assert facts["version"] == server.api("/status/buildinfo")["version"]
    assert facts["retention"] == server.api("/status/runtimeinfo")["storageRetention"]
    assert facts["last reload"].startswith("succeeded")
    assert facts["write-ahead log"].startswith("replayed")
    assert facts["blocks on disk"].endswith(("kB", "MB"))
    assert int(facts["series"]) > 100
    assert shown.result.partial == []


async def test_parts_an_agent_lacks_fail_alone(agent_desk: Desk) -> None:
    shown = await agent_desk.ask("status")
    assert shown.rows[0] == ["ready", "yes"]
    assert len(shown.result.partial) == 1
    assert shown.result.partial[0].startswith("head block: unsupported")


@pytest.mark.parametrize("view", ["cardinality", "blocks"])
async def test_an_agent_has_no_storage_to_show(agent_desk: Desk, view: str) -> None:
    with pytest.raises(BackendError, match="unavailable with Prometheus Agent") as caught:
        await agent_desk.ask("status", view=view)
    assert caught.value.code == "unsupported"


async def test_cardinality_gives_the_four_tables_of_the_api(main: Desk, server: Running) -> None:
    shown = await main.ask("status", view="cardinality", limit=3)
    assert len(shown.rows) == 12
    raw = server.api("/status/tsdb", ("limit", "3"))
    assert shown.rows[0][0] == raw["seriesCountByMetricName"][0]["name"]
    assert [block.title for block in shown.result.blocks if isinstance(block, Table)] == [
        "series by metric",
        "values by label",
        "bytes by label",
        "series by label pair",
    ]


async def test_blocks_are_those_on_disk_newest_first(main: Desk, server: Running) -> None:
    shown = await main.ask("status", view="blocks")
    raw = sorted(server.api("/status/tsdb/blocks")["blocks"], key=lambda block: -block["maxTime"])
    assert [row[0] for row in shown.rows] == [block["ulid"] for block in raw]
    assert [int(row[4]) for row in shown.rows] == [block["stats"]["numSeries"] for block in raw]


async def test_the_configuration_is_outlined_with_its_jobs(main: Desk) -> None:
    shown = await main.ask("status", view="config")
    assert "scrape_interval: 1s" in shown.text
    assert [row[0] for row in shown.rows] == ["self", "shop", "down", "dropped"]
    assert shown.rows[0][4] == "1 static targets"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("shop", "job_name: shop"),
        ("scrape_configs", "job_name: dropped"),
        ("global.scrape_interval", "1s"),
        ("scrape_configs.2.params.module", "- x"),
        ("scrape_configs.down.basic_auth.username", "scraper"),
    ],
)
async def test_a_path_gives_that_part_of_the_configuration(main: Desk, path: str, said: str) -> None:
    shown = await main.ask("status", view="config", path=path)
    assert said in shown.text


async def test_an_unknown_path_is_refused_with_near_names(main: Desk) -> None:
    with pytest.raises(InvalidArgument, match="near: scrape_configs") as caught:
        await main.ask("status", view="config", path="scrape_config")
    assert caught.value.field == "path"


@pytest.mark.parametrize("view", VIEWS)
async def test_no_view_shows_a_secret(main: Desk, view: str) -> None:
    shown = await main.ask("status", view=view, limit=200)
    assert HIDDEN not in shown.text


@pytest.mark.parametrize("path", ["remote_write", "down", "remote_write.0.headers", "scrape_configs"])
async def test_secrets_that_the_server_shows_are_masked_here(main: Desk, server: Running, path: str) -> None:
    assert HIDDEN in server.api("/status/config")["yaml"]
    shown = await main.ask("status", view="config", path=path)
    assert HIDDEN not in shown.text
    assert "***" in shown.text


async def test_flags_and_features_are_searched(main: Desk, server: Running) -> None:
    flags = await main.ask("status", view="flags", search="retention.time")
    assert ["storage.tsdb.retention.time", "100y"] in flags.rows
    features = await main.ask("status", view="features", search="agent_mode")
    assert features.rows == [["prometheus", "agent_mode", "False"]]
    everything = await main.ask("status", view="flags", limit=200)
    assert len(everything.rows) == len(server.api("/status/flags"))
    with pytest.raises(ToolError, match="no flags with search 'nothing-like-it'") as caught:
        await main.ask("status", view="flags", search="nothing-like-it")
    assert caught.value.code == "not_found"


async def test_the_state_of_replay_and_notifications_are_answered(main: Desk) -> None:
    assert "write-ahead log replayed" in (await main.ask("status", view="walreplay")).text
    assert (await main.ask("status", view="notifications")).text.startswith("main: 0 notifications")


async def test_notifications_are_shown_newest_first() -> None:
    data = [
        {"text": "Configuration reload has failed.", "date": "2026-01-01T00:00:00Z", "active": True},
        {"text": "Prometheus is shutting down", "date": "2026-01-02T00:00:00Z", "active": False},
    ]
    async with (
        fault_server(answer({"status": "success", "data": data})) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("status", view="notifications")
    assert [row[1] for row in shown.rows] == ["False", "True"]


async def test_a_starting_server_is_not_ready_and_tells_how_far_it_is() -> None:
    """/-/ready answers 503 ``Service Unavailable`` while the log is replayed; /status/walreplay answers then."""

    def starting(request: Request) -> Behaviour:
        if request.path == "/-/ready":
            return answer("Service Unavailable", status=503)
        return answer({"status": "success", "data": {"min": 2, "max": 5, "current": 3}})

    async with (
        fault_server(choose=starting) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        with pytest.raises(ToolError, match="segment 3 of 5 replayed") as caught:
            await prometheus.ask("status")
    assert (caught.value.code, caught.value.kind) == ("not_ready", "wait")


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "overview"])
async def test_a_part_the_version_lacks_is_unsupported_with_an_alternative(view: str) -> None:
    async with (
        fault_server(answer("404 page not found\n", status=404)) as server,
        desk("prometheus", {"targets": {"old": {"url": server.url}}}) as prometheus,
    ):
        with pytest.raises(BackendError, match="it has no such API") as caught:
            await prometheus.ask("status", view=view)
    assert (caught.value.code, caught.value.kind) == ("unsupported", "final")


async def test_a_backend_without_any_status_api_still_has_an_overview_that_names_what_is_missing() -> None:
    async with (
        fault_server(answer("404 page not found\n", status=404)) as server,
        desk("prometheus", {"targets": {"vm": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("status")
    assert shown.rows == [["ready", "unknown (no /-/ready page)"]]
    assert [text.partition(":")[0] for text in shown.result.partial] == [
        "build information",
        "runtime information",
        "head block",
        "write-ahead log",
    ]


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [(html_login(), "bad_answer"), (answer("boom", status=500, kind="text/plain"), "backend_error")],
)
async def test_an_overview_of_which_no_part_can_be_had_is_an_error(behaviour: Behaviour, code: str) -> None:
    async with (
        fault_server(behaviour) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        with pytest.raises(BackendError) as caught:
            await prometheus.ask("status")
    assert caught.value.code == code


async def test_a_login_page_is_no_readiness() -> None:
    build = answer({"status": "success", "data": {"version": "3.16.0"}})
    async with (
        fault_server(choose=lambda request: build if "buildinfo" in request.path else html_login()) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("status")
    assert shown.rows == [["ready", "unknown (no /-/ready page)"], ["version", "3.16.0"]]
    assert len(shown.result.partial) == 4


@pytest.mark.parametrize(
    ("arguments", "field"), [({"path": "global"}, "path"), ({"search": "x"}, "search"), ({"limit": 201}, "limit")]
)
async def test_arguments_that_do_not_fit_are_refused_by_name(
    main: Desk, arguments: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await main.ask("status", **arguments)
    assert caught.value.field == field
