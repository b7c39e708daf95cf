"""`prometheus_find`: metrics, labels, values, series, metadata."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.prometheus.find_views.names import path_name
from tests.calls import desk
from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.promises import promise
from tests.services.prometheus.exporter import DECEIT
from tests.services.prometheus.history import MANY, at

if TYPE_CHECKING:
    from tests.calls import Desk
    from tests.services.prometheus.servers import Running

THEN = {"from_": at(0), "to": at(120)}


async def walk(prometheus: Desk, **arguments: object) -> list[list[str]]:
    """The rows of all pages."""
    rows: list[list[str]] = []
    shown = await prometheus.ask("find", **arguments)
    while True:
        footer = shown.text.rpartition("\n")[2]
        count = int(footer.split()[1])
        rows += shown.rows[:count]
        if not shown.cursor:
            return rows
        shown = await prometheus.ask("find", **arguments, cursor=shown.cursor)


async def test_metrics_are_those_of_the_api_in_the_range_by_name(main: Desk, server: Running) -> None:
    shown = await main.ask("find", **THEN)
    raw = server.api("/label/__name__/values", ("start", at(0)), ("end", at(120)))
    assert [row[0] for row in shown.rows] == sorted(raw)
    assert shown.text.startswith("main: 5 metrics between 2024-01-01T00:00:00Z and 2024-01-01T02:00:00Z")


async def test_pages_walk_all_metrics_exactly_once(main: Desk, server: Running) -> None:
    rows = await walk(main, search="^(go|prometheus_h)", limit=7)
    names = [name for name in server.api("/label/__name__/values") if name.startswith(("go", "prometheus_h"))]
    assert [row[0] for row in rows] == sorted(names)
    assert len(rows) > 50


async def test_a_page_cut_by_the_budget_goes_on_where_it_was_cut(main: Desk) -> None:
    everything = await main.ask("find", what="metadata", limit=1000)
    assert everything.cursor
    names = [row[0] for row in await walk(main, what="metadata", limit=1000)]
    assert names == [row[0] for row in everything.rows]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("TEMPERA", ["lab_temperature"]),
        ("^lab_.e", ["lab_requests_total", "lab_temperature", "lab_text"]),
        ("lab_(odd|text)$", ["lab_odd", "lab_text"]),
        (".*", ["lab_many", "lab_odd", "lab_requests_total", "lab_temperature", "lab_text"]),
    ],
)
async def test_search_is_a_substring_or_an_expression(main: Desk, search: str, expected: list[str]) -> None:
    shown = await main.ask("find", search=search, **THEN)
    assert [row[0] for row in shown.rows] == expected


async def test_search_narrows_the_given_selectors(main: Desk) -> None:
    shown = await main.ask("find", search="lab", match=['{site="lab"}', "lab_odd", "up"], **THEN)
    assert [row[0] for row in shown.rows] == ["lab_odd", "lab_temperature"]


async def test_help_is_shown_cut_and_inside_an_envelope_it_cannot_end(main: Desk) -> None:
    shown = await main.ask("find", search="shop_")
    rows = {row[0]: row for row in shown.rows}
    assert rows["shop_latency_seconds_bucket"][1:3] == ["histogram", "seconds"]
    assert rows["shop_users"][3].endswith("…(+246)")
    assert DECEIT.replace("</untrusted>", "&lt;/untrusted>") in shown.text
    assert shown.text.count("</untrusted>") == 1


async def test_few_labels_are_counted_and_many_are_only_named(main: Desk) -> None:
    few = await main.ask("find", what="labels", match=["lab_temperature"], **THEN)
    assert few.rows == [["__name__", "1"], ["room", "3"], ["site", "1"]]
    many = await main.ask("find", what="labels")
    assert "numbers of values are shown for up to 20 labels" in many.text
    assert len(many.rows) > 20
    assert [row[0] for row in (await main.ask("find", what="labels", search="handler")).rows] == ["handler"]


async def test_values_are_sorted_and_searched(main: Desk, server: Running) -> None:
    shown = await main.ask("find", what="values", label="handler", search="status/", limit=1000)
    raw = [value for value in server.api("/label/handler/values") if "status/" in value]
    assert [row[0] for row in shown.rows] == sorted(raw)


async def test_values_are_those_of_the_given_selectors(main: Desk) -> None:
    shown = await main.ask("find", what="values", label="room", match=['lab_temperature{room!="2"}'], **THEN)
    assert [row[0] for row in shown.rows] == ["1", "3"]


async def test_ten_thousand_values_are_walked_exactly_once(main: Desk) -> None:
    rows = await walk(main, what="values", label="number", limit=1000, **THEN)
    assert [row[0] for row in rows] == [f"{number:05}" for number in range(MANY)]


async def test_series_are_one_line_each(main: Desk) -> None:
    shown = await main.ask("find", what="series", match=["lab_temperature", "lab_requests_total"], **THEN)
    assert [row[0] for row in shown.rows] == [
        'lab_requests_total{code="200"}',
        *(f'lab_temperature{{room="{room}",site="lab"}}' for room in (1, 2, 3)),
    ]


async def test_series_without_a_selector_are_refused(main: Desk) -> None:
    with pytest.raises(ToolError) as caught:
        await main.ask("find", what="series")
    assert (caught.value.code, caught.value.kind) == ("match_required", "fix")


async def test_too_many_series_are_refused_with_counts_by_metric(main: Desk) -> None:
    times = {"from_": at(58), "to": at(60)}
    with pytest.raises(ToolError) as caught:
        await main.ask("find", what="series", search="lab_(many|temp)", **times)
    assert caught.value.code == "too_many"
    assert f"by metric: lab_many {MANY}, lab_temperature 3; narrow match" in caught.value.text


async def test_metadata_of_one_metric_and_of_all(main: Desk) -> None:
    one = await main.ask("find", what="metadata", metric="shop_users")
    assert [row[:2] for row in one.rows] == [["shop_users", "gauge"]]
    found = await walk(main, what="metadata", search="^go_gc_", limit=10)
    names = [row[0] for row in found]
    assert names == sorted(names)
    assert len(names) > 10


async def test_metadata_by_target_names_the_targets(main: Desk) -> None:
    shown = await main.ask("find", what="metadata", metric="shop_users", per_target=True)
    assert len(shown.rows) == 1
    assert 'job="shop"' in shown.rows[0][1]
    of_target = await main.ask("find", what="metadata", per_target=True, match=['{job="shop"}'])
    assert {row[0] for row in of_target.rows} == {"shop_latency_seconds", "shop_users"}


async def test_an_agent_still_tells_metadata_but_no_names(agent_desk: Desk) -> None:
    assert (await agent_desk.ask("find", what="metadata", metric="go_goroutines")).rows[0][1] == "gauge"
    with pytest.raises(BackendError, match="unavailable with Prometheus Agent") as caught:
        await agent_desk.ask("find")
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"search": "no_such"}, "no metrics between"),
        ({"what": "labels", "match": ["no_such"]}, "no labels between"),
        ({"what": "values", "label": "no_such"}, "no values of 'no_such' between"),
        ({"what": "values", "label": "jobb"}, "near labels: job"),
        ({"what": "series", "match": ["no_such"]}, "no series between"),
        ({"what": "metadata", "metric": "shop_user"}, "no metadata of 'shop_user'; nearest: shop_users"),
        ({"what": "metadata", "search": "no_such"}, "no metadata with search 'no_such'"),
    ],
)
async def test_nothing_found_names_what_was_looked_for(main: Desk, arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        await main.ask("find", **arguments)
    assert (caught.value.code, caught.value.kind) == ("no_data", "fix")
    assert said in caught.value.text


@promise("B13")
@pytest.mark.parametrize(
    "arguments",
    [
        {"match": ["up{"]},
        {"match": ["{}"]},
        {"match": ['{__name__=~".*"}']},
        {"what": "series", "match": ['up{job="a"']},
        {"what": "values", "label": "job", "match": ["up up"]},
        {"match": ["up{"], "search": "x"},
    ],
)
async def test_a_bad_selector_is_told_in_words(main: Desk, arguments: dict[str, object]) -> None:
    with pytest.raises(ToolError) as caught:
        await main.ask("find", **arguments)
    assert (caught.value.code, caught.value.kind) == ("bad_selector", "fix")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"search": "a("}, "search"),
        ({"what": "values"}, "label"),
        ({"what": "labels", "label": "job"}, "label"),
        ({"metric": "up"}, "metric"),
        ({"per_target": True}, "per_target"),
        ({"what": "metadata", "from_": "now-1h"}, "from"),
        ({"what": "metadata", "match": ["up"]}, "match"),
        ({"what": "metadata", "match": ["a", "b"], "per_target": True}, "match"),
        ({"what": "metadata", "per_target": True}, "metric"),
        ({"from_": "now+1h", "to": "now+2h"}, "from"),
        ({"from_": "now-1h", "to": "now-2h"}, "to"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_by_name(
    main: Desk, arguments: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await main.ask("find", **arguments)
    assert caught.value.field == field


async def test_a_cursor_of_other_arguments_is_refused(main: Desk) -> None:
    shown = await main.ask("find", limit=2)
    assert shown.cursor
    with pytest.raises(ToolError) as caught:
        await main.ask("find", limit=3, cursor=shown.cursor)
    assert caught.value.code == "invalid_cursor"


async def test_answers_are_kept_for_the_same_caller_only() -> None:
    names = answer({"status": "success", "data": ["a", "b"]})
    async with (
        fault_server(names) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        for _ in range(3):
            await prometheus.ask("find", what="values", label="job")
        assert len(server.requests) == 1
        await replace(prometheus, caller=Principal("other", "api_key")).ask("find", what="values", label="job")
        assert len(server.requests) == 2
        await prometheus.ask("find", what="values", label="job", from_="now-2h")
        assert len(server.requests) == 3


async def test_no_limit_is_sent_where_servers_cut_before_they_sort() -> None:
    """Prometheus 3.16 cuts label values of its head block before it sorts them."""
    async with (
        fault_server(answer({"status": "success", "data": ["a"]})) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        await prometheus.ask("find", what="values", label="job", limit=1)
    assert "limit" not in server.requests[0].target


async def test_names_are_shown_without_types_where_there_is_no_metadata() -> None:
    script = answer({"status": "success", "data": ["up"]}), answer("404 page not found\n", status=404)
    async with (
        fault_server(*script) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("find")
    assert shown.rows == [["up", "", "", ""]]
    assert "this backend keeps no metadata" in shown.result.partial[0] or "no such API" in shown.result.partial[0]


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("job", "job"),
        ("a-b", "U__a_2d_b"),
        ("my_dotted.label", "U__my__dotted_2e_label"),
        ("9lives", "U___39_lives"),
        ("U__x", "U__U____x"),
        ("größe", "U__gr_f6__df_e"),
        ("../x", "U___2e__2e__2f_x"),
    ],
)
def test_label_names_of_other_characters_are_escaped_in_the_path(label: str, path: str) -> None:
    assert path_name(label) == path
