"""Lines of logs by themselves: what is an error, what is alike, in which order, and what is masked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.kubernetes.logs.credentials import LONGEST_LINE, LineMask
from cloud_native_mcp.services.kubernetes.logs.errors import LONGEST_BLOCK, error_blocks, is_error
from cloud_native_mcp.services.kubernetes.logs.matching import LONGEST, Grep
from cloud_native_mcp.services.kubernetes.logs.patterns import MOST_PATTERNS, Patterns, fold
from cloud_native_mcp.services.kubernetes.logs.reading import NO_TIME, Line
from cloud_native_mcp.services.kubernetes.logs.text import Style, first_error, newest_within
from tests.promises import promise

START = datetime(2026, 1, 1, tzinfo=UTC)


def log(*texts: str, start: int = 0, every: int = 1) -> list[Line]:
    return [Line(START + timedelta(seconds=start + every * number), text) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    "text",
    [
        "ERROR request failed",
        "2026-01-01 10:00:00 [error] 7#7: connect() failed",
        "E1122 10:00:00.000000 812 pod_workers.go:1301] syncing",
        '{"level":"error","msg":"x"}',
        "time=2026 level=fatal msg=x",
        "severity=CRITICAL x",
        "java.lang.IllegalStateException: no",
        "KeyError: 'currency'",
        "Traceback (most recent call last):",
        "panic: runtime error: invalid memory address",
        "Unhandled rejection at promise",
        "Error: cannot find module",
    ],
)
def test_lines_that_tell_of_an_error_are_found(text: str) -> None:
    assert is_error(text)


@pytest.mark.parametrize(
    "text",
    [
        "INFO 0 errors, 3 warnings",
        '{"level":"info","error":null}',
        "level=info msg=retry err=nil",
        "I1122 10:00:00.000000 812 x.go:1] no ERROR here",
        "DEBUG registered ErrorHandler KeyError",
        "GET /errors/500 200",
        "terror and mirrors",
        "",
    ],
)
def test_lines_that_only_speak_of_errors_are_not(text: str) -> None:
    assert not is_error(text)


def test_a_stack_trace_belongs_to_its_error() -> None:
    lines = log(
        "INFO start",
        "Exception in thread main java.lang.RuntimeException: x",
        "\tat com.example.Main.run(Main.java:1)",
        "Caused by: java.io.IOException: y",
        "\t... 3 more",
        "INFO go on",
        "  indented, but of nothing",
        "ERROR last",
    )
    assert [[line.text for line in block] for block in error_blocks(lines)] == [
        [line.text for line in lines[1:5]],
        ["ERROR last"],
    ]


def test_an_endless_stack_trace_is_cut() -> None:
    (block,) = error_blocks(log("ERROR x", *(["  at f(x)"] * 500)))
    assert len(block) == LONGEST_BLOCK


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took 12ms for id=7", "took 1300ms for id=12"),
        ("from 10.0.0.1:443", "from 10.12.7.9:8443"),
        ("pod 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed gone", "pod 6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b gone"),
        ("2026-01-01T00:00:00.123Z ok", "2026-02-01T10:00:00Z ok"),
        ("at 0xc000123456", "at 0xdeadbeef"),
        ("image sha256:0123456789abcdef", "image sha256:fedcba9876543210"),
    ],
)
def test_lines_that_differ_in_numbers_and_identifiers_are_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_lines_with_other_words_are_not_alike() -> None:
    assert fold("user anna logged in") != fold("user bert logged in")


async def test_patterns_keep_count_first_last_and_the_newest_sample() -> None:
    patterns = Patterns()
    await patterns.add(log("took 1ms", "other", "took 2ms"), 0)
    await patterns.add(log("took 3ms", start=100), 1)
    first, second = patterns.by_count()
    assert (first.count, first.sample, first.sources) == (3, "took 3ms", {0, 1})
    assert (first.first, first.last) == (START, START + timedelta(seconds=100))
    assert second.sample == "other"


async def test_patterns_beyond_the_limit_are_counted_together() -> None:
    patterns = Patterns()
    names = ["".join(chr(97 + int(digit)) for digit in f"{number:06}") for number in range(MOST_PATTERNS + 7)]
    await patterns.add(log(*names), 0)
    assert len(patterns.by_count()) == MOST_PATTERNS
    assert patterns.left_out == 7


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), max_size=12), min_size=1, max_size=4),
    st.integers(1, 200),
)
def test_merged_lines_keep_the_order_of_each_log_and_count_every_line(
    written: list[list[tuple[int, str]]], size: int
) -> None:
    logs = [[Line(START + timedelta(seconds=second), text) for second, text in sorted(rows)] for rows in written]
    style = Style([f"log{number}" if len(logs) > 1 else "" for number in range(len(logs))], timestamps=False)
    whole = newest_within(logs, style, 1_000_000)
    assert list(whole.counts) == [len(lines) for lines in logs]
    some = newest_within(logs, style, size)
    assert whole.text.endswith(some.text)
    assert len(some.text.encode()) <= max(size, 20)
    for number, lines in enumerate(logs):
        told: list[str] = []
        for row in whole.text.splitlines():
            label, _, text = row.rpartition(": ")
            if label in {"", f"log{number}"} and (label or len(logs) == 1):
                name, _, repeats = text.partition(" (x")
                told += [name] * int(repeats.rstrip(")") or 1)
        assert told == [line.text for line in lines]


async def test_the_first_error_is_the_earliest_of_all_logs() -> None:
    logs = [log("INFO a", "ERROR late", start=50), log("INFO b", "ERROR early", "  at x(y)", start=0)]
    assert await first_error(logs, Style(["one", "two"], timestamps=False)) == "two: ERROR early\ntwo:   at x(y)"
    assert await first_error([log("INFO a")], Style([""], timestamps=False)) == ""


def test_lines_without_time_are_shown_without_one() -> None:
    shown = newest_within([[Line(NO_TIME, "a")]], Style([""], timestamps=True), 100)
    assert shown.text == "a"


@pytest.mark.parametrize("text", ["", "!", "(", "a(?!b)", r"(a)\1", "x" * (LONGEST + 1), "a{5000}"])
def test_an_expression_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Grep(text)
    assert caught.value.field == "grep"


def test_a_leading_exclamation_mark_inverts() -> None:
    assert Grep("a.c").keeps("xabcx")
    assert not Grep("!a.c").keeps("xabcx")
    assert Grep("!a.c").keeps("x")
    assert Grep("(?i)ERR").keeps("err")


@promise("B15")
def test_an_evil_expression_takes_no_longer_than_a_plain_one() -> None:
    assert not Grep("(a+)+$").keeps("a" * 100_000 + "b")


def test_lines_of_a_key_whose_start_is_missing_are_masked() -> None:
    mask = LineMask()
    key = "T " + "Ab1+" * 16
    assert mask.lines(f"T hello\n{key}\n{key}\nT -----END EC PRIVATE KEY-----\nT bye\n") == [
        "T hello",
        "T ***",
        "T ***",
        "T -----END EC PRIVATE KEY-----",
        "T bye",
    ]


def test_a_key_is_followed_from_one_piece_of_the_log_to_the_next() -> None:
    mask = LineMask()
    mask.lines("T -----BEGIN PRIVATE KEY-----\n")
    assert mask.lines("T " + "Ab1+" * 16 + "\n") == ["T ***"]
    mask.lines("T -----END PRIVATE KEY-----\n")
    assert mask.lines("T " + "Ab1+" * 16 + "\n") == ["T " + "Ab1+" * 16]


def test_ends_of_lines_of_all_kinds_make_no_empty_lines() -> None:
    assert LineMask().lines("T a\r\nT b\r\n") == ["T a", "T b"]


def test_of_an_endless_line_only_the_beginning_is_looked_at() -> None:
    (line,) = LineMask().lines("T " + "x" * 5_000_000 + "\n")
    assert len(line) == LONGEST_LINE
