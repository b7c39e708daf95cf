"""`prometheus_query` over a range: summaries, points, exemplars."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.prometheus.query_views.samples import extremes, spread
from cloud_native_mcp.services.prometheus.query_views.summary import gaps, spark_line
from tests.promises import promise
from tests.services.prometheus.exporter import TRACE
from tests.services.prometheus.history import MINUTES, START, at, temperature

if TYPE_CHECKING:
    from tests.calls import Desk
    from tests.services.prometheus.servers import Running

WHOLE = {"from_": at(0), "to": at(120)}


async def test_a_summary_tells_of_each_series_what_the_points_of_the_api_tell(main: Desk, server: Running) -> None:
    answer = await main.ask("query", query="lab_temperature", step="1m", **WHOLE)
    params = ("query", "lab_temperature"), ("start", at(0)), ("end", at(120)), ("step", "60")
    rows = {row[0]: row[1:] for row in answer.rows}
    for one in server.api("/query_range", *params)["result"]:
        values = [float(value) for _, value in one["values"]]
        first, last, low, high, mean, count, *_ = rows[f'{{room="{one["metric"]["room"]}"}}']
        assert [float(text) for text in (first, last, low, high)] == [values[0], values[-1], min(values), max(values)]
        assert math.isclose(float(mean), math.fsum(values) / len(values), rel_tol=1e-5)
        assert int(count) == len(values)


async def test_gaps_and_the_trend_show_where_a_series_has_no_points(main: Desk) -> None:
    answer = await main.ask("query", query="lab_temperature", step="1m", **WHOLE)
    rows = {row[0]: row for row in answer.rows}
    assert [rows[f'{{room="{room}"}}'][7] for room in (1, 2, 3)] == ["0", "1", "1"]
    assert rows['{room="3"}'][8].startswith("·" * 11)
    assert "·" not in rows['{room="1"}'][8]
    assert all(len(row[8]) == 24 for row in answer.rows)


async def test_the_step_is_chosen_to_give_no_more_points_than_wanted(main: Desk) -> None:
    answer = await main.ask("query", query="lab_temperature", max_points=50, **WHOLE)
    assert "step 5m, at most 25 points each" in answer.text


@promise("B14")
async def test_a_step_that_gives_too_many_points_is_widened_and_the_answer_says_so(main: Desk) -> None:
    answer = await main.ask("query", query="lab_temperature", step="1s", **WHOLE)
    assert "step 30s (widened from 1s), at most 241 points each" in answer.text


@promise("B14")
async def test_ten_years_in_steps_of_a_second_are_answered_with_a_wider_step(main: Desk) -> None:
    answer = await main.ask("query", query="vector(1)", from_="now-10y", step="1s")
    assert "step 13d (widened from 1s)" in answer.text
    assert answer.rows[0][1:3] == ["1", "1"]


@promise("B14")
async def test_an_end_in_the_future_is_cut_to_now_and_the_answer_says_so(main: Desk) -> None:
    answer = await main.ask("query", query="vector(1)", from_="now-1h", to="now+1h")
    assert "`to` lay in the future: the range ends now" in answer.text


@promise("B14")
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"from_": at(60), "to": at(0)}, "to"),
        ({"from_": at(60), "to": at(60)}, "to"),
        ({"from_": "now+1h", "to": "now+2h"}, "from"),
        ({"from_": "9999-01-01T00:00:00Z"}, "from"),
        ({"from_": "2024-01-01T00:00:00", "to": at(0)}, "from"),
        ({"from_": "2024-01-01"}, "from"),
        ({"from_": at(0), "to": "2024-01-01 02:00"}, "to"),
        ({"from_": "yesterday"}, "from"),
        ({"from_": "now-1h", "step": "0s"}, "step"),
        ({"from_": "now-1h", "step": "-5s"}, "step"),
        ({"from_": "now-1h", "step": "5"}, "step"),
        ({"time": "now+1h"}, "time"),
        ({"time": "9999-12-31T23:59:59Z"}, "time"),
        ({"time": "2024-01-01T00:00:00"}, "time"),
    ],
)
async def test_times_that_make_no_sense_are_refused_by_name(
    main: Desk, arguments: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await main.ask("query", query="up", **arguments)
    assert caught.value.field == field


async def test_points_have_a_column_per_series_and_every_value_of_the_api(main: Desk) -> None:
    answer = await main.ask("query", query="lab_temperature", view="points", step="10m", **WHOLE)
    assert 'TIME\t{room="1"}\t{room="2"}\t{room="3"}' in answer.text
    assert "UTC, 2024-01-01" in answer.text
    for minute, row in zip(range(0, MINUTES, 10), answer.rows, strict=True):
        assert row[0] == at(minute)[11:-1]
        assert row[1] == str(int(temperature(1, minute)))
        # The sample before a gap is valid for five minutes, so only the middle of the gap is empty.
        assert row[2] == ("" if minute == 40 else str(int(temperature(2, 29 if minute == 30 else minute))))
        assert row[3] == ("" if minute < 60 else str(int(temperature(3, minute))))


async def test_a_range_over_several_days_shows_dates(main: Desk) -> None:
    answer = await main.ask(
        "query", query="vector(5)", view="points", from_="2024-01-01T00:00:00Z", to="2024-01-03T00:00:00Z", step="1d"
    )
    assert [row[0] for row in answer.rows] == [f"2024-01-0{day}T00:00:00Z" for day in (1, 2, 3)]
    assert "TIME\tVALUE" in answer.text


async def test_more_points_than_fit_are_spread_with_the_least_and_largest_kept(main: Desk, server: Running) -> None:
    query = (
        "label_replace(lab_many{number=~'0000.'}, 'long', 'a_very_long_value_that_takes_room', '', '') * 1e9 + time()"
    )
    times = {"from_": at(60), "to": at(64.9), "step": "1s"}
    answer = await main.ask("query", query=query, view="points", **times)
    assert len(answer.text.encode()) <= 16_000
    assert "times shown, evenly spread, with the least and largest of each series" in answer.text
    params = ("query", query), ("start", at(60)), ("end", at(64.9)), ("step", "1")
    columns = list(zip(*[row[1:] for row in answer.rows], strict=True))
    raw = server.api("/query_range", *params)["result"]
    assert len(columns) == len(raw) == 10
    for column, one in zip(columns, sorted(raw, key=lambda one: one["metric"]["number"]), strict=True):
        values = [value for _, value in one["values"]]
        assert {min(values, key=float), max(values, key=float)} <= set(column)


async def test_many_series_are_in_long_form(main: Desk) -> None:
    answer = await main.ask(
        "query", query="lab_many{number=~'0000.|0001.|0002.'}", view="points", from_=at(60), to=at(64), step="1m"
    )
    assert "SERIES\tTIME\tVALUE" in answer.text
    assert len(answer.rows) == 30 * 5


async def test_a_step_too_wide_to_meet_a_sample_is_told(main: Desk) -> None:
    answer = await main.ask("query", query="lab_odd", from_="2023-06-01T00:00:00Z", to="2024-06-01T00:00:00Z")
    assert "series exist in the range (lab_odd), but none at a step of 2d" in answer.text


async def test_no_data_in_a_range_names_the_range(main: Desk) -> None:
    with pytest.raises(ToolError, match="no data between 2024-01-02T00:00:00Z and 2024-01-02T01:00:00Z") as caught:
        await main.ask("query", query="lab_odd", from_="2024-01-02T00:00:00Z", to="2024-01-02T01:00:00Z")
    assert caught.value.code == "no_data"


async def test_exemplars_are_listed_newest_first_with_their_trace(main: Desk) -> None:
    answer = await main.ask("query", query="shop_latency_seconds_bucket", view="exemplars", from_="now-1h", limit=3)
    assert 1 <= len(answer.rows) <= 3
    assert all(row[1:3] == ["0.07", f"trace_id={TRACE}"] for row in answer.rows)
    times = [row[0] for row in answer.rows]
    assert times == sorted(times, reverse=True)


async def test_a_range_without_exemplars_says_what_is_needed(main: Desk) -> None:
    with pytest.raises(ToolError, match="--enable-feature=exemplar-storage") as caught:
        await main.ask("query", query="lab_temperature", view="exemplars", **WHOLE)
    assert caught.value.code == "no_data"


async def test_a_syntax_error_in_exemplars_is_a_bad_query(main: Desk) -> None:
    with pytest.raises(BackendError, match="parse error") as caught:
        await main.ask("query", query="up{", view="exemplars", **WHOLE)
    assert caught.value.code == "bad_query"


async def test_milliseconds_since_1970_are_a_time(main: Desk) -> None:
    start = START.timestamp()
    end = (START + timedelta(hours=2)).timestamp()
    answer = await main.ask("query", query="lab_temperature", from_=f"{start:.0f}000", to=f"{end:.0f}", step="10m")
    assert answer.text.startswith("main: range 2024-01-01T00:00:00Z to 2024-01-01T02:00:00Z, step 10m")


@pytest.mark.parametrize(
    ("places", "points", "expected"),
    [([0, 1, 2], 3, 0), ([], 3, 1), ([0, 2], 3, 1), ([1], 3, 2), ([0, 1], 3, 1), ([0, 3, 4, 7], 9, 3)],
)
def test_gaps_are_runs_of_missing_steps(places: list[int], points: int, expected: int) -> None:
    assert gaps(places, points) == expected


def test_a_spark_line_rises_with_the_values_and_shows_where_there_are_none() -> None:
    assert spark_line([0, 1, 2, 3], [0, 1, 2, 3], 4) == "▁▃▆█"
    assert spark_line([0, 3], [5, 5], 4) == "▄··▄"
    assert spark_line([0, 1], [math.nan, math.inf], 2) == "··"
    assert len(spark_line(range(1000), [float(i) for i in range(1000)], 1000)) == 24


def test_points_are_spread_evenly_around_the_kept_ones() -> None:
    assert spread(5, 10, set()) == [0, 1, 2, 3, 4]
    assert spread(100, 5, {50}) == [0, 33, 50, 66, 99]
    assert extremes([3, math.nan, 1, 9]) == {2, 3}
    assert extremes([math.nan]) == set()
