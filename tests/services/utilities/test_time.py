"""utilities_time: the clock, conversions, differences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.times import parse_instant
from tests.promises import promise
from tests.services.utilities.serving import serving

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_time_is_converted_between_zones_in_every_form(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        text = await server.text("time", time="2026-07-01T12:00:00.250Z", timezone="Europe/Berlin")
    assert text.splitlines() == [
        "2026-07-01T14:00:00.250+02:00",
        "rfc3339: 2026-07-01T14:00:00.250+02:00",
        "unix: 1782907200",
        "unix_ms: 1782907200250",
        "date: 2026-07-01",
        "weekday: Wednesday",
        "iso_week: 2026-W27",
        "zone: Europe/Berlin (CEST, UTC+02:00)",
    ]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("rfc3339", "2024-12-29T23:30:00-05:00"),
        ("unix", "1735533000"),
        ("unix_ms", "1735533000000"),
        ("date", "2024-12-29"),
        ("time", "23:30:00 -05:00"),
    ],
)
async def test_one_form_is_the_whole_answer(tmp_path: Path, form: str, expected: str) -> None:
    async with serving(tmp_path) as server:
        assert await server.text("time", time="1735533000", timezone="America/New_York", format=form) == expected


async def test_without_arguments_the_answer_is_the_servers_clock(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        before = datetime.now(UTC).replace(microsecond=0)
        shown = parse_instant(await server.text("time", format="rfc3339"), field="answer")
        assert before <= shown <= datetime.now(UTC)


async def test_a_difference_is_told_in_seconds_and_words(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        text = await server.text("time", time="2026-01-01T00:00:00Z", to="2026-01-01T01:30:00.5Z")
        assert text.startswith("difference: 5400.5 s (90m later)")
        back = await server.text("time", time="2026-01-04T00:00:00Z", to="2026-01-01T00:00:00Z", format="date")
        assert back == "2026-01-04 to 2026-01-01 · difference: -259200 s (3d earlier)"
        assert "the same time" in await server.text("time", time="now", to="now")


async def test_relative_times_share_one_now(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        answer = await server.call("time", time="now-2h", to="now")
        assert answer.facts["difference_seconds"] == timedelta(hours=2).total_seconds()


@pytest.mark.parametrize(
    ("zone", "near"), [("Europe/Berln", "Europe/Berlin"), ("Tokyo", "Asia/Tokyo"), ("../../etc/passwd", "IANA name")]
)
async def test_an_unknown_zone_is_refused_with_near_names(tmp_path: Path, zone: str, near: str) -> None:
    async with serving(tmp_path) as server:
        text = await server.refusal("time", timezone=zone)
    assert text.startswith("unknown_timezone: ")
    assert near in text
    assert text.endswith("[fix]")


async def test_zones_are_found_whatever_their_letter_case(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        assert (await server.text("time", time="0", timezone="america/new york", format="time")) == "19:00:00 -05:00"


@promise("B14")
@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("2026-07-01T12:00:00", "has no zone"),
        ("next week", "is not a time"),
        ("now+99999y", "outside the years"),
        ("2026-13-01T00:00:00Z", "that exists"),
    ],
)
async def test_odd_times_are_refused_with_the_accepted_forms(tmp_path: Path, time: str, why: str) -> None:
    async with serving(tmp_path) as server:
        first = await server.refusal("time", time=time)
        second = await server.refusal("time", to=time)
    assert first.startswith("invalid_argument: time: ")
    assert second.startswith("invalid_argument: to: ")
    for text in (first, second):
        assert why in text
        assert "now-1d/d" in text


async def test_the_last_day_of_the_calendar_is_shown_in_every_zone(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        shown = await server.text("time", time="9999-12-31T23:59:59Z", timezone="Asia/Tokyo", format="rfc3339")
        assert shown == "9999-12-31T23:59:59Z"
