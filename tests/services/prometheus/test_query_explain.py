"""`prometheus_query view=explain`, and native histograms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.prometheus.answers import Histogram
from cloud_native_mcp.services.prometheus.native_histogram import quantile
from tests.calls import desk
from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.services.prometheus.history import at
from tests.services.prometheus.servers import NATIVE

if TYPE_CHECKING:
    from tests.calls import Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request
    from tests.services.prometheus.servers import Running


async def test_an_expression_is_formatted_and_its_tree_and_selectors_are_shown(main: Desk) -> None:
    query = 'sum by(room)(rate(lab_temperature{site=~"l.b"}[5m] offset 1h))>bool 1'
    shown = await main.ask("query", query=query, view="explain", time=at(80))
    assert 'sum by (room) (rate(lab_temperature{site=~"l.b"}[5m] offset 1h)) > bool 1' in shown.text
    assert (
        "binary > bool\n"
        "  aggregation sum by (room)\n"
        "    call rate\n"
        '      selector lab_temperature{site=~"l.b"}[5m] offset 1h\n'
        "  number 1\n"
    ) in shown.text
    # An hour before minute 80 the third room has no samples yet.
    assert ['lab_temperature{site=~"l.b"}', "5m", "2", "", "1m"] in shown.rows


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        (
            "max_over_time((-up)[1h:5m])",
            ["call max_over_time", "  subquery [1h:5m]", "    parentheses", "      unary -", "        selector up"],
        ),
        (
            "up * on (job) group_left (x) sum without (instance) (up)",
            [
                "binary * on (job) many-to-one",
                "  selector up",
                "  aggregation sum without (instance)",
                "    selector up",
            ],
        ),
        ('label_replace(up, "a", "b", "", "")', ["call label_replace", "  selector up", "  text a", "  text b"]),
        ('up - ignoring (job) {__name__=~"u.*"}', ["binary - ignoring (job)", '  selector {__name__=~"u.*"}']),
    ],
)
async def test_the_tree_names_every_kind_of_node(main: Desk, query: str, lines: list[str]) -> None:
    shown = await main.ask("query", query=query, view="explain")
    for line in lines:
        assert line in shown.text.splitlines()


@pytest.mark.parametrize(
    ("query", "remark"),
    [
        ("rate(go_goroutines[1m])", "rate() over the gauge go_goroutines"),
        ("prometheus_http_requests_total", "prometheus_http_requests_total is a counter: without rate()"),
        ("rate(prometheus_http_requests_total[2s])", "[2s] holds under 4 scrapes (every 1s): use at least 4s"),
        ("go_gorutines", "the metric go_gorutines does not exist; nearest: go_goroutines"),
        ('up{job="nobody"}', 'up{job="nobody"} finds no series now'),
    ],
)
async def test_remarks_point_at_what_is_probably_wrong(main: Desk, query: str, remark: str) -> None:
    shown = await main.ask("query", query=query, view="explain")
    assert remark in shown.text


async def test_a_sound_expression_gets_no_remarks(main: Desk) -> None:
    shown = await main.ask("query", query="sum(rate(prometheus_http_requests_total[1m]))", view="explain")
    assert "remarks\n" not in shown.text
    assert "no remarks" in shown.text


async def test_counts_are_those_at_the_end_of_a_given_range(main: Desk) -> None:
    shown = await main.ask("query", query="lab_temperature", view="explain", from_=at(0), to=at(30))
    assert shown.rows == [["lab_temperature", "", "2", "", ""]]
    assert "counts at 2024-01-01T00:30:00Z" in shown.text


async def test_a_syntax_error_in_an_explained_expression_is_told_with_its_position(main: Desk) -> None:
    with pytest.raises(BackendError, match="1:5: parse error") as caught:
        await main.ask("query", query="sum(", view="explain")
    assert caught.value.code == "bad_query"


async def test_a_version_without_a_parser_is_explained_by_format_and_counts() -> None:
    """Prometheus 2.40 to 2.55 answer 404 to /parse_query."""

    def older(request: Request) -> Behaviour:
        if request.path.endswith("/parse_query"):
            return answer("404 page not found\n", status=404)
        if request.path.endswith("/format_query"):
            return answer({"status": "success", "data": 'rate(up{job="a"}[5m]) / lab[1m]'})
        if request.path.endswith("/metadata"):
            return answer({"status": "success", "data": {}})
        vector: list[dict[str, object]] = [{"metric": {}, "value": [1, "4"]}]
        return answer({"status": "success", "data": {"resultType": "vector", "result": vector}})

    async with (
        fault_server(choose=older) as old,
        desk("prometheus", {"targets": {"old": {"url": old.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("query", query='rate(up{job="a"}[5m]) / lab[1m]', view="explain")
    assert "no tree: this backend does not parse queries (it came with Prometheus 3.0)" in shown.text
    assert [row[:3] for row in shown.rows] == [['up{job="a"}', "", "4"], ["lab", "", "4"]]


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
async def test_quantiles_of_native_histograms_agree_with_the_server(server: Running, share: float) -> None:
    now = str(server.api("/query", ("query", "time()"))["result"][1])
    selector = f'{NATIVE}{{handler="/api/v1/query"}}'
    raw = server.api("/query", ("query", selector), ("time", now))["result"][0]["histogram"][1]
    mine = quantile(Histogram(raw["count"], raw["sum"], [tuple(bucket) for bucket in raw["buckets"]]), share)
    asked = ("query", f"histogram_quantile({share}, {selector})"), ("time", now)
    theirs = float(server.api("/query", *asked)["result"][0]["value"][1])
    assert math.isclose(mine, theirs, rel_tol=1e-9)


async def test_native_histograms_are_shown_with_count_sum_and_quantiles(main: Desk) -> None:
    for times in ({}, {"from_": "now-1m"}):
        shown = await main.ask("query", query=NATIVE, **times)
        assert "HISTOGRAM\tCOUNT\tSUM\tP50\tP95\tP99" in shown.text
        assert all(float(row[1]) >= 1 and float(row[3]) <= float(row[4]) <= float(row[5]) for row in shown.rows)


async def test_a_range_vector_of_native_histograms_shows_the_last_of_each(main: Desk) -> None:
    shown = await main.ask("query", query=f'{NATIVE}{{handler="/metrics"}}[10s]')
    assert "native histograms, the last of each series" in shown.text
    assert len(shown.rows) == 1


@pytest.mark.parametrize(
    ("buckets", "share", "expected"),
    [
        ([(0, "1", "2", "10")], 0.5, 2**0.5),
        ([(3, "-0.5", "0.5", "10")], 0.5, 0.0),
        ([(3, "-0.5", "0.5", "10"), (0, "1", "2", "10")], 0.25, 0.25),
        ([(1, "-2", "-1", "10"), (3, "-0.5", "0.5", "10")], 0.75, -0.25),
        ([(0, "0", "10", "10"), (0, "10", "+Inf", "10")], 0.99, 10.0),
        ([(0, "-Inf", "5", "10")], 0.5, 2.5),
        ([(0, "-Inf", "-5", "10")], 0.5, -5.0),
        ([(0, "10", "13", "10")], 0.5, 11.5),
    ],
)
def test_quantiles_inside_a_bucket(buckets: list[tuple[int, str, str, str]], share: float, expected: float) -> None:
    count = sum(float(bucket[3]) for bucket in buckets)
    assert math.isclose(quantile(Histogram(str(count), "1", buckets), share), expected, abs_tol=1e-12)


def test_a_histogram_without_observations_has_no_quantiles() -> None:
    assert math.isnan(quantile(Histogram("0", "0"), 0.5))
    assert math.isnan(quantile(Histogram("NaN", "NaN", [(0, "1", "2", "3")]), 0.5))
