"""Series selectors, and the searches that become part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.expressions import Search
from cloud_native_mcp.services.prometheus.labels import series_text, shared
from cloud_native_mcp.services.prometheus.selectors import Matcher, Selector, parse_selector

if TYPE_CHECKING:
    from cloud_native_mcp.services.prometheus.selectors import Operator
    from tests.services.prometheus.servers import Running

MATCHERS = st.builds(
    Matcher,
    st.one_of(st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True), st.text(min_size=1, max_size=8)),
    st.sampled_from(["=", "!="]),
    st.text(max_size=10),
)


@given(st.lists(MATCHERS, max_size=4))
def test_a_selector_reads_what_it_writes(matchers: list[Matcher]) -> None:
    selector = Selector(tuple(matchers))
    assert parse_selector(selector.text(), field="match") == selector


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    refused: InvalidArgument | None = None
    try:
        parse_selector(text, field="match")
    except InvalidArgument as error:
        refused = error
    assert refused is None or (refused.field, refused.code) == ("match", "bad_selector")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("up", '{__name__="up"}'),
        ("up{}", '{__name__="up"}'),
        (' up { job = "a" , } ', '{__name__="up",job="a"}'),
        ("{job=~'a|b',x!~`\\d`}", '{job=~"a|b",x!~"\\\\d"}'),
        ('{"my.metric","a b"="c"}', '{__name__="my.metric","a b"="c"}'),
        (r'{a="\x41\u00e9\101\n\"\\"}', '{a="AéA\\n\\"\\\\"}'),
        ("job:up:sum", '{__name__="job:up:sum"}'),
    ],
)
def test_all_forms_of_selectors_are_read(text: str, written: str) -> None:
    assert parse_selector(text, field="match").text() == written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a metric name or { at position 1"),
        ("up{", "expected a label name at position 4"),
        ("up{a}", "expected =, !=, =~ or !~ at position 5"),
        ("up{a=b}", "expected a value in quotes at position 6"),
        ('up{a="b" c="d"}', "expected , or } at position 9"),
        ("up x", "nothing may follow the selector at position 3"),
        ('{a=~"("}', "is not a regular expression of RE2"),
        ('{a=~"(?=x)"}', "is not a regular expression of RE2"),
    ],
)
def test_a_bad_selector_is_told_with_its_position(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse_selector(text, field="match")
    assert said in caught.value.text


@pytest.mark.parametrize(
    ("operator", "value", "label", "accepted"),
    [
        ("=", "a", "a", True),
        ("=", "a", "b", False),
        ("=", "", None, True),
        ("!=", "a", None, True),
        ("!=", "", None, False),
        ("=~", "a|b", "b", True),
        ("=~", "a", "xax", False),
        ("=~", ".*", None, True),
        ("=~", "a.b", "a\nb", True),
        ("!~", "a.*", "abc", False),
        ("!~", "a.*", None, True),
    ],
)
def test_matchers_are_applied_as_prometheus_does(
    operator: Operator, value: str, label: str | None, *, accepted: bool
) -> None:
    text = Matcher("x", operator, value).text()
    labels = {} if label is None else {"x": label}
    assert parse_selector(f"{{{text}}}", field="match").accepts(labels) is accepted


@pytest.mark.parametrize(
    "selector", ['{room=~"1|2"}', 'lab_temperature{room!~"1"}', '{site="lab",room!=""}', 'lab_temperature{room=~".*"}']
)
def test_the_server_and_this_reader_agree_on_what_matches(server: Running, selector: str) -> None:
    everything = server.api("/series", ("match[]", "lab_temperature"))
    theirs = server.api("/series", ("match[]", selector))
    mine = [labels for labels in everything if parse_selector(selector, field="match").accepts(labels)]
    assert sorted(map(series_text, mine)) == sorted(map(series_text, theirs))


@given(st.text(max_size=20))
def test_any_search_is_taken_or_refused_by_name(text: str) -> None:
    refused: InvalidArgument | None = None
    try:
        found = Search(text, field="search").finds(text)
    except InvalidArgument as error:
        refused, found = error, False
    assert refused is None or refused.field == "search"
    assert found or any(sign in text for sign in "\\^$.|?*+()[]{}")


def test_a_catastrophic_expression_is_harmless() -> None:
    assert not Search("(a+)+$", field="search").finds("a" * 50_000 + "b")


def test_labels_are_written_as_promql_reads_them() -> None:
    labels = {"__name__": "my.metric", "a b": 'say "hi"\n', "job": "x" * 250}
    assert series_text(labels) == f'{{"my.metric","a b"="say \\"hi\\"\\n",job="{"x" * 200}…(+50)"}}'
    assert series_text({}) == "{}"
    assert series_text({"__name__": "up"}) == "up"


def test_shared_labels_are_those_equal_in_all() -> None:
    assert shared([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "1"}]) == {"a": "1"}
    assert shared([{"a": "1"}]) == {}
