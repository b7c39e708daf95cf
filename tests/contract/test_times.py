"""Times and durations: one grammar, and errors that name it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.times import format_age, parse_duration, parse_instant, parse_range, rfc3339
from cloud_native_mcp.errors import InvalidArgument
from tests.promises import promise

NOW = datetime(2026, 3, 4, 12, 30, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-03-04T12:30:45Z"),
        ("now-90m", "2026-03-04T11:00:45Z"),
        ("now+1h", "2026-03-04T13:30:45Z"),
        ("now-1d/d", "2026-03-03T00:00:00Z"),
        ("now/h", "2026-03-04T12:00:00Z"),
        ("now/w", "2026-03-02T00:00:00Z"),
        ("30s", "2026-03-04T12:30:15Z"),
        ("1h30m", "2026-03-04T11:00:45Z"),
        ("3d", "2026-03-01T12:30:45Z"),
        ("1700000000", "2023-11-14T22:13:20Z"),
        ("1700000000.5", "2023-11-14T22:13:20.500Z"),
        ("1700000000123", "2023-11-14T22:13:20.123Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31t12:00z", "2026-01-31T12:00:00Z"),
        ("2026-01-31 12:00:00.25+02:00", "2026-01-31T10:00:00.250Z"),
        (" now ", "2026-03-04T12:30:45Z"),
    ],
)
def test_every_accepted_form_is_one_point_in_time(text: str, expected: str) -> None:
    assert rfc3339(parse_instant(text, field="start", now=NOW)) == expected


@promise("B14")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-01-31T12:00:00", "has no zone"),
        ("2026-01-31", "no time of day and no zone"),
        ("2026-02-30T00:00:00Z", "that exists"),
        ("yesterday", "is not a time"),
        ("", "is not a time"),
        ("-5", "is not a time"),
        ("now-5", "no duration"),
        ("now-1d/q", "unknown unit"),
        ("999999999999999", "outside the years"),
        ("now+9999y", "outside the years"),
        ("9999-12-31T23:59:59-10:00", "outside the years"),
        ("60y", "before 1970"),
        ("1900-01-01T00:00:00Z", "before 1970"),
    ],
)
def test_an_odd_time_is_refused_with_the_field_and_the_accepted_forms(text: str, why: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_instant(text, field="start", now=NOW)
    assert refusal.value.field == "start"
    assert why in refusal.value.text
    assert "now-90m" in refusal.value.text
    assert "RFC 3339 with zone" in refusal.value.text


@promise("B14")
@pytest.mark.parametrize(
    ("start", "end", "field", "why"),
    [
        ("now", "now-1h", "end", "is not after start"),
        ("1h", "1h", "end", "is not after start"),
        ("now+1h", "now+2h", "start", "lies in the future"),
        ("10y", "now", "start", "longer than"),
        ("1h", "2026-03-04T12:00:00", "end", "has no zone"),
    ],
)
def test_an_odd_time_range_is_refused(start: str, end: str, field: str, why: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_range(start, end, now=NOW, longest=timedelta(days=366))
    assert refusal.value.field == field
    assert why in refusal.value.text


@promise("B14")
def test_an_end_in_the_far_future_is_cut_to_now() -> None:
    found = parse_range("1h", "9000-01-01T00:00:00Z", now=NOW)
    assert found.end == NOW
    assert found.length == timedelta(hours=1)


@given(st.text(max_size=30))
def test_no_text_makes_the_parser_fail_otherwise_than_by_refusing(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        assert parse_instant(text, field="start", now=NOW).tzinfo is UTC


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the zone is drawn
def test_a_shown_time_is_read_back_to_the_millisecond(moment: datetime) -> None:
    assert abs(parse_instant(rfc3339(moment), field="time") - moment) < timedelta(milliseconds=1)


@given(st.integers(0, 500), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = f"{days}d{hours}h{minutes}m{seconds}s"
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    assert parse_duration(text, field="step") == expected


@pytest.mark.parametrize("text", ["", "5", "1m1h", "-1h", "1.5h", "1x", "h", "99999y", "\uff11h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="step: "):
        parse_duration(text, field="step")


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(seconds=-5), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(minutes=2), "2m"),
        (timedelta(minutes=9, seconds=30), "9m30s"),
        (timedelta(minutes=179), "179m"),
        (timedelta(hours=3, minutes=1), "3h1m"),
        (timedelta(hours=47), "47h"),
        (timedelta(days=3, hours=4), "3d4h"),
        (timedelta(days=100), "100d"),
        (timedelta(days=800), "2y70d"),
        (timedelta(days=3000), "8y"),
    ],
)
def test_ages_are_shown_as_kubectl_shows_them(span: timedelta, shown: str) -> None:
    assert format_age(span) == shown


def test_a_time_is_shown_in_its_own_zone() -> None:
    assert rfc3339(NOW.astimezone(timezone(timedelta(hours=2)))) == "2026-03-04T14:30:45+02:00"


def test_a_time_without_zone_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="without zone"):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001 - what is tested
