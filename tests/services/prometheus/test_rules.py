"""`prometheus_rules`: alerts, rules, groups, Alertmanagers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import InvalidArgument, ToolError
from tests.calls import desk
from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.calls import Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request
    from tests.services.prometheus.servers import Running


async def test_no_alert_of_a_name_leads_to_the_rules(main: Desk) -> None:
    """An inactive rule and one that does not exist give the same: no alert."""
    shown = await main.ask("rules", name="NeverFires")
    assert "0 firing, 0 pending" in shown.text
    assert "view=rules shows whether such a rule exists" in shown.text


async def test_alerts_are_those_of_the_api_firing_and_oldest_first(main: Desk, server: Running) -> None:
    shown = await main.ask("rules")
    raw = {alert["labels"]["alertname"]: alert["state"] for alert in server.api("/alerts")["alerts"]}
    assert {row[0]: row[1] for row in shown.rows} == raw
    assert [row[1] for row in shown.rows] == ["firing", "firing", "pending"]
    assert shown.text.startswith("main: alerts: 2 firing, 1 pending")


async def test_an_alert_shows_severity_value_labels_and_summary_inside_the_envelope(main: Desk) -> None:
    shown = await main.ask("rules", name="targetdown")
    assert len(shown.rows) == 1
    name, state, severity, _, value, labels, summary = shown.rows[0]
    assert (name, state, severity, value) == ("TargetDown", "firing", "critical", "0")
    assert labels == '{instance="127.0.0.1:1",job="down"}'
    assert summary.startswith("down is down")
    assert shown.text.count("</untrusted>") == 1


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"state": "pending"}, ["Waiting"]),
        ({"state": "firing"}, ["AlwaysFiring", "TargetDown"]),
        ({"match": ['{severity="critical"}']}, ["TargetDown"]),
        ({"match": ['{severity=~"crit.*"}', "{severity='warning'}"]}, ["TargetDown", "Waiting"]),
        ({"match": ['{job!="down"}'], "state": "firing"}, ["AlwaysFiring"]),
        ({"name": "^Always|^Wait"}, ["AlwaysFiring", "Waiting"]),
        ({"group": "alerts", "match": ['{severity="info"}']}, ["AlwaysFiring"]),
        ({"group": "records"}, []),
        ({"type": "alert", "name": "nothing"}, []),
    ],
)
async def test_alerts_are_filtered(main: Desk, arguments: dict[str, object], names: list[str]) -> None:
    shown = await main.ask("rules", **arguments)
    assert sorted(row[0] for row in shown.rows) == names


async def test_rules_are_those_of_the_api_with_states_and_errors(main: Desk, server: Running) -> None:
    shown = await main.ask("rules", view="rules")
    raw = [rule for group in server.api("/rules")["groups"] for rule in group["rules"]]
    assert sorted(row[0] for row in shown.rows) == sorted(rule["name"] for rule in raw)
    assert "2 firing, 1 pending, 1 inactive, 2 recording, 1 failing" in shown.text
    rows = {row[0]: row for row in shown.rows}
    assert rows["Waiting"][1:5] == ["alert", "pending", "ok", "10h"]
    assert rows["job:up:sum"][1:4] == ["record", "", "ok"]
    assert rows["job:up:sum"][7] == "sum by (job) (up)"
    assert rows["broken:ratio"][3] == "err"
    assert (
        "many-to-many matching not allowed" in rows["broken:ratio"][8] or "duplicate series" in rows["broken:ratio"][8]
    )


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"unhealthy_only": True}, ["broken:ratio"]),
        ({"type": "record"}, ["broken:ratio", "job:up:sum"]),
        ({"type": "alert", "state": "inactive"}, ["NeverFires"]),
        ({"group": "records"}, ["job:up:sum"]),
        ({"match": ['{severity="critical"}']}, ["TargetDown"]),
        ({"name": "up"}, ["job:up:sum"]),
    ],
)
async def test_rules_are_filtered(main: Desk, arguments: dict[str, object], names: list[str]) -> None:
    shown = await main.ask("rules", view="rules", **arguments)
    assert sorted(row[0] for row in shown.rows) == names


async def test_groups_show_how_many_of_their_rules_fire_and_fail(main: Desk) -> None:
    shown = await main.ask("rules", view="groups")
    assert {row[0]: row[1:6] for row in shown.rows} == {
        "alerts": ["rules.yml", "1s", "4", "2", "0"],
        "records": ["rules.yml", "1s", "1", "0", "0"],
        "broken": ["rules.yml", "1s", "1", "0", "1"],
    }


async def test_the_alertmanagers_in_use_are_listed(main: Desk) -> None:
    shown = await main.ask("rules", view="alertmanagers")
    assert shown.rows == [["http://127.0.0.1:1/api/v2/alerts", "active"]]


async def test_pages_show_every_rule_once(main: Desk) -> None:
    names: list[str] = []
    shown = await main.ask("rules", view="rules", limit=4)
    names += [row[0] for row in shown.rows]
    shown = await main.ask("rules", view="rules", limit=4, cursor=shown.cursor)
    names += [row[0] for row in shown.rows]
    assert not shown.cursor
    assert len(names) == len(set(names)) == 6


@pytest.mark.parametrize("view", ["alerts", "rules", "groups", "alertmanagers"])
async def test_an_agent_has_no_rule_engine(agent_desk: Desk, view: str) -> None:
    with pytest.raises(ToolError, match="unavailable with Prometheus Agent") as caught:
        await agent_desk.ask("rules", view=view)
    assert (caught.value.code, caught.value.kind) == ("rule_engine_absent", "final")


async def test_mimir_without_a_ruler_has_no_rule_engine() -> None:
    """Mimir answers 404 where the ruler is not deployed."""
    async with (
        fault_server(answer("404 page not found\n", status=404)) as server,
        desk("prometheus", {"targets": {"mimir": {"url": server.url}}}) as prometheus,
    ):
        with pytest.raises(ToolError, match="it evaluates no rules") as caught:
            await prometheus.ask("rules")
    assert caught.value.code == "rule_engine_absent"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"type": "record"}, "type"),
        ({"state": "inactive"}, "state"),
        ({"unhealthy_only": True}, "unhealthy_only"),
        ({"view": "alertmanagers", "name": "x"}, "name"),
        ({"name": "a("}, "name"),
        ({"match": ["up{"]}, "match"),
        ({"match": ['{a=~"("}']}, "match"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_by_name(
    main: Desk, arguments: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await main.ask("rules", **arguments)
    assert caught.value.field == field


def _group(number: int, *, took: float = 0.1) -> dict[str, object]:
    rule = {"name": f"r{number}", "query": "x" * 300, "type": "recording", "health": "ok"}
    return {"name": f"g{number}", "file": "/etc/rules/a.yml", "rules": [rule], "interval": 10, "evaluationTime": took}


def _page(groups: Sequence[Mapping[str, object]], token: str = "") -> Behaviour:
    return answer({"status": "success", "data": {"groups": groups, "groupNextToken": token}})


CHANGED = answer(
    {
        "status": "error",
        "errorType": "bad_data",
        "error": "invalid parameter \"group_next_token\": invalid group_next_token 'abc'. were rule groups changed?",
    },
    status=400,
)


async def test_groups_are_read_page_by_page_and_late_ones_are_flagged() -> None:
    async with (
        fault_server(_page([_group(2)], "abc"), _page([_group(1, took=11)])) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("rules", view="groups")
    assert [[row[0], row[1], row[8]] for row in shown.rows] == [
        ["g1", "a.yml", "longer than the interval"],
        ["g2", "a.yml", ""],
    ]
    assert "group_next_token=abc" in server.requests[1].target
    assert "exclude_alerts=true" in server.requests[0].target


async def test_groups_that_change_while_they_are_read_are_read_again_once() -> None:
    script = _page([_group(1)], "abc"), CHANGED, _page([_group(1), _group(2)])
    async with (
        fault_server(*script) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("rules", view="rules")
    assert [row[0] for row in shown.rows] == ["r1", "r2"]
    assert shown.rows[0][7].endswith("…(+100)")


async def test_groups_that_keep_changing_end_as_an_expired_cursor() -> None:
    def changing(request: Request) -> Behaviour:
        return CHANGED if "group_next_token" in request.target else _page([_group(1)], "abc")

    async with (
        fault_server(choose=changing) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        with pytest.raises(ToolError, match="the rule groups changed while they were read") as caught:
            await prometheus.ask("rules", view="rules")
    assert caught.value.code == "expired_cursor"


async def test_filters_a_server_does_not_know_are_applied_here() -> None:
    alerts = [
        {"name": f"A{n}", "type": "alerting", "state": s, "labels": {"severity": s}}
        for n, s in enumerate(("firing", "pending"))
    ]
    group = {"name": "g", "file": "f", "rules": [*alerts, {"name": "R", "type": "recording"}]}
    async with (
        fault_server(_page([group, {"name": "h", "rules": alerts}])) as server,
        desk("prometheus", {"targets": {"old": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("rules", view="rules", type="alert", group="g", match=['{severity="firing"}'])
    assert [row[0] for row in shown.rows] == ["A0"]


async def test_warnings_of_a_distributed_backend_make_the_answer_partial() -> None:
    """Thanos Query names the stores that did not answer in ``warnings``."""
    data: dict[str, object] = {
        "status": "success",
        "data": {"alerts": []},
        "warnings": ["store 10.0.0.1:10901 is not reachable"],
    }
    async with (
        fault_server(answer(data)) as server,
        desk("prometheus", {"targets": {"thanos": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("rules")
    assert shown.result.partial == ["thanos: store 10.0.0.1:10901 is not reachable"]
