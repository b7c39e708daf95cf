"""`prometheus_query` at an instant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from tests.calls import desk
from tests.promises import promise
from tests.services.prometheus.history import HIDDEN, MANY, at

if TYPE_CHECKING:
    from tests.calls import Desk
    from tests.services.prometheus.servers import Running

NOON = at(60)


async def test_an_instant_query_gives_every_series_with_the_value_of_the_api(main: Desk, server: Running) -> None:
    answer = await main.ask("query", query="lab_temperature", time=NOON)
    raw = server.api("/query", ("query", "lab_temperature"), ("time", NOON))["result"]
    expected = {(f'{{room="{one["metric"]["room"]}"}}', one["value"][1]) for one in raw}
    assert {tuple(row) for row in answer.rows} == expected
    assert len(expected) == 3


async def test_series_are_sorted_by_value_and_common_labels_are_told_once(main: Desk) -> None:
    answer = await main.ask("query", query="lab_temperature", time=NOON)
    assert [row[0] for row in answer.rows] == ['{room="3"}', '{room="2"}', '{room="1"}']
    assert 'all have lab_temperature{site="lab"}' in answer.text
    assert answer.text.startswith("main: vector at 2024-01-01T01:00:00Z, 3 series")


async def test_values_that_are_no_numbers_stay_text_and_nan_comes_last(main: Desk) -> None:
    answer = await main.ask("query", query="lab_odd", time=NOON)
    assert [row[1] for row in answer.rows] == ["+Inf", "123450000000000000000", "2e-07", "-Inf", "NaN"]


@pytest.mark.parametrize(("query", "kind", "shown"), [("1 + 2", "scalar", "3"), ('"text"', "string", "text")])
async def test_scalars_and_strings_are_shown_as_they_are(main: Desk, query: str, kind: str, shown: str) -> None:
    answer = await main.ask("query", query=query)
    lines = answer.text.splitlines()
    assert lines[0].startswith(f"main: {kind} at ")
    assert lines[1] == shown


async def test_a_range_vector_is_summarised_or_listed(main: Desk, server: Running) -> None:
    query = 'lab_temperature{room="1"}[5m]'
    summary = await main.ask("query", query=query, time=NOON)
    points = await main.ask("query", query=query, time=NOON, view="points")
    raw = server.api("/query", ("query", query), ("time", NOON))["result"][0]["values"]
    values = [float(value) for _, value in raw]
    assert summary.rows == [
        [
            'lab_temperature{room="1",site="lab"}',
            *(
                f"{value:g}"
                for value in (values[0], values[-1], min(values), max(values), math.fsum(values) / len(values))
            ),
            str(len(values)),
        ]
    ]
    assert [row[2] for row in points.rows] == [value for _, value in raw]


async def test_series_past_the_limit_are_not_shown_and_the_answer_says_so(main: Desk) -> None:
    answer = await main.ask("query", query="lab_many", time=NOON, limit=3)
    assert len(answer.rows) == 3
    assert "3 of at least 4 series" in answer.text
    assert "topk(3, …) gives the largest" in answer.text


async def test_the_warnings_of_the_server_come_first(main: Desk) -> None:
    answer = await main.ask("query", query="quantile(3, lab_temperature)", time=NOON)
    assert answer.text.splitlines()[1].startswith("warning: PromQL warning: quantile value should be between 0 and 1")
    assert answer.result.partial == []


async def test_a_label_value_cannot_pose_as_the_next_series_or_end_the_envelope(main: Desk) -> None:
    answer = await main.ask("query", query="lab_text", time=NOON)
    assert len(answer.rows) == 1
    assert '{\\"metric\\":{ , \\n 😀' in answer.rows[0][0]
    assert "</untrusted>" not in answer.text


@promise("B13")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("lab_temperature * on(", "1:22: parse error: unclosed left parenthesis"),
        ("sum by (room", "1:13: parse error: unclosed left parenthesis"),
        ("rate(lab_requests_total)", "1:6: parse error: expected type range vector"),
        ("lab_temperature{room=}", "1:22: parse error:"),
    ],
)
async def test_a_syntax_error_is_told_in_the_backends_words_with_the_position(
    main: Desk, query: str, said: str
) -> None:
    with pytest.raises(BackendError) as caught:
        await main.ask("query", query=query)
    assert (caught.value.code, caught.value.kind, caught.value.status) == ("bad_query", "fix", 400)
    assert said in caught.value.text
    assert "prometheus target main" in caught.value.text


@promise("B13")
async def test_a_long_error_of_the_backend_is_trimmed(main: Desk) -> None:
    with pytest.raises(BackendError) as caught:
        await main.ask("query", query=f"up {'x' * 3000}")
    assert 'parse error: unexpected identifier "xxx' in caught.value.text
    assert caught.value.text.endswith("…")
    assert len(caught.value.text) < 750


async def test_matching_that_is_ambiguous_is_a_bad_query_not_a_failed_backend(main: Desk) -> None:
    with pytest.raises(BackendError, match="many-to-many matching not allowed") as caught:
        await main.ask("query", query="lab_temperature / on (site) lab_temperature", time=NOON)
    assert (caught.value.code, caught.value.status) == ("bad_query", 422)


async def test_a_query_of_too_many_samples_is_too_heavy_with_a_hint(main: Desk) -> None:
    with pytest.raises(BackendError, match="too many samples") as caught:
        await main.ask("query", query="lab_many", from_=at(60), to=at(64), step="5s")
    assert caught.value.code == "too_heavy"
    assert "narrow it" in caught.value.text


async def test_a_query_that_takes_longer_than_its_timeout_is_too_heavy(main: Desk) -> None:
    with pytest.raises(BackendError) as caught:
        await main.ask("query", query="count_values('x', lab_many)", time=NOON, timeout="1ms")
    assert caught.value.code == "too_heavy"


async def test_a_metric_that_does_not_exist_is_told_with_near_names(main: Desk) -> None:
    with pytest.raises(ToolError) as caught:
        await main.ask("query", query="sum(lab_temprature)")
    assert (caught.value.code, caught.value.kind) == ("no_data", "fix")
    # Names are those of the whole history, however old.
    assert "the metric lab_temprature does not exist; nearest: lab_temperature" in caught.value.text


async def test_a_selector_that_finds_nothing_now_is_told_with_the_age_of_its_last_sample(main: Desk) -> None:
    with pytest.raises(ToolError) as caught:
        await main.ask("query", query="lab_temperature", time=at(180))
    assert caught.value.code == "no_data"
    assert "its last sample is 60m older than that (2024-01-01T02:00:00Z)" in caught.value.text


async def test_a_selector_last_seen_days_ago_is_told_roughly(main: Desk) -> None:
    with pytest.raises(ToolError) as caught:
        await main.ask("query", query="lab_temperature", time="2024-01-11T00:00:00Z")
    assert "its last sample lies in the two hours before 2024-01-01T0" in caught.value.text


async def test_a_selector_never_seen_in_a_month_says_so(main: Desk) -> None:
    with pytest.raises(ToolError, match="it had no sample in the 30 days before"):
        await main.ask("query", query='lab_temperature{room="9"}', time=NOON)


async def test_an_expression_that_leaves_no_series_is_an_answer_that_says_why(main: Desk) -> None:
    answer = await main.ask("query", query="lab_temperature > 1000", time=NOON)
    assert "no series" in answer.text
    assert "every selector finds series (lab_temperature)" in answer.text


async def test_an_offset_shifts_where_absent_data_is_looked_for(main: Desk) -> None:
    answer = await main.ask("query", query="lab_temperature offset 60m > 1000", time=at(180))
    assert "every selector finds series" in answer.text


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"query": "  "}, "query"),
        ({"query": "up", "from_": "now-1h", "time": "now"}, "time"),
        ({"query": "up", "step": "30s"}, "step"),
        ({"query": "up", "to": "now"}, "to"),
        ({"query": "up", "max_points": 20}, "max_points"),
        ({"query": "up", "view": "exemplars"}, "from"),
        ({"query": "up", "timeout": "0s"}, "timeout"),
        ({"query": "up", "timeout": "soon"}, "timeout"),
        ({"query": "up", "view": "picture"}, "view"),
        ({"query": "up", "limit": 0}, "limit"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_by_name(
    main: Desk, arguments: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await main.ask("query", **arguments)
    assert caught.value.field == field


async def test_the_picture_is_refused_with_the_alternatives(main: Desk) -> None:
    with pytest.raises(ToolError, match=r"view=summary.*view=points") as caught:
        await main.ask("query", query="up", view="image")
    assert (caught.value.code, caught.value.kind) == ("unsupported", "final")


@pytest.mark.parametrize(
    "arguments",
    [
        {"query": "up"},
        {"query": "up", "from_": "now-1h"},
        {"query": "up", "from_": "now-1h", "view": "exemplars"},
        {"query": "up", "view": "explain"},
    ],
)
async def test_an_agent_is_named_as_a_server_that_cannot_be_queried(
    agent_desk: Desk, arguments: dict[str, object]
) -> None:
    with pytest.raises(BackendError, match="unavailable with Prometheus Agent; an agent stores nothing") as caught:
        await agent_desk.ask("query", **arguments)
    assert (caught.value.code, caught.value.kind) == ("unsupported", "final")


async def test_the_answer_ends_with_a_link_when_a_public_address_is_configured(server: Running) -> None:
    target = {"url": server.url, "public_url": "https://prometheus.example.com/base/"}
    async with desk("prometheus", {"targets": {"main": target}}) as prometheus:
        answer = await prometheus.ask("query", query="1 + 1")
    assert answer.text.splitlines()[-1] == "https://prometheus.example.com/base/graph?g0.expr=1+%2B+1&g0.tab=1"


async def test_secrets_in_labels_of_the_servers_own_metrics_are_masked(main: Desk) -> None:
    answer = await main.ask("query", query="prometheus_remote_storage_shards")
    assert "/write?token=***" in answer.text
    assert HIDDEN not in answer.text


async def test_the_target_is_chosen_by_name_and_the_default_one_is_configurable(
    server: Running, agent: Running
) -> None:
    targets = {"agent": {"url": agent.url}, "main": {"url": server.url}}
    async with desk("prometheus", {"targets": targets, "default_target": "main"}) as prometheus:
        assert (await prometheus.ask("query", query="1")).text.startswith("main: ")
        with pytest.raises(BackendError, match="prometheus target agent"):
            await prometheus.ask("query", query="1", target="agent")


def test_the_history_has_more_series_than_are_listed() -> None:
    assert MANY > 10_000
