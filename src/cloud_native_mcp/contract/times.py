"""Times and durations as callers write them, and as answers show them. One grammar for all tools.

Durations: ``30s``, ``15m``, ``1h30m``, ``2d``, ``1w``, ``1y`` (365 days), ``250ms``; larger units first.
Instants: ``now``, ``now-90m``, ``now-1d/d`` (rounded down to the day, UTC), a duration alone (that long ago),
RFC 3339 with its zone, Unix seconds or milliseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cloud_native_mcp.errors import InvalidArgument

INSTANT_FORMS: Final = (
    "now, now-90m, now-1d/d, 30s 15m 2h 3d (that long ago), RFC 3339 with zone (2026-01-31T12:00:00Z), "
    "Unix seconds or milliseconds"
)
DURATION_FORMS: Final = "30s, 15m, 1h30m, 2d, 1w"

_UNIT_SECONDS: Final = {
    "y": 31_536_000.0,
    "w": 604_800.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
}
_DURATION = re.compile(
    r"(?:(?P<y>\d{1,12})y)?(?:(?P<w>\d{1,12})w)?(?:(?P<d>\d{1,12})d)?(?:(?P<h>\d{1,12})h)?"
    r"(?:(?P<m>\d{1,12})m(?!s))?(?:(?P<s>\d{1,12})s)?(?:(?P<ms>\d{1,12})ms)?",
    re.ASCII,
)
_RELATIVE = re.compile(r"now(?:(?P<sign>[+-])(?P<span>[0-9a-z]+))?(?:/(?P<floor>[a-z]+))?", re.ASCII)
_UNIX = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_RFC3339 = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d(?::\d\d)?)(?:\.(?P<fraction>\d{1,9}))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_DATE_ONLY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MILLISECONDS_FROM: Final = 100_000_000_000
"""Unix numbers from here on are milliseconds: as seconds they would lie in the year 5138 or later."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = timedelta(days=366 * 1000)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A span of time with ``start`` before ``end``, both in UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """From start to end."""
        return self.end - self.start


def parse_instant(text: str, *, field: str, now: datetime | None = None) -> datetime:
    """The point in time a caller means, in UTC.

    Args:
        text: one of the accepted forms (see the module).
        field: the argument's name, for the error.
        now: what ``now`` means; the server's clock by default.

    Raises:
        InvalidArgument: another form, no zone, or outside the years 1970 to 9999.
    """
    given = text.strip()
    moment = now or datetime.now(UTC)
    try:
        return _instant(given, moment, field)
    except OverflowError:
        raise _refused(field, text, "lies outside the years 1970 to 9999") from None


def parse_duration(text: str, *, field: str) -> timedelta:
    """The length of time a caller means; never negative.

    Raises:
        InvalidArgument: another form, or more than 1,000 years.
    """
    span = _span(text.strip())
    if span is None:
        raise InvalidArgument(field, f"{_quote(text)} is not a duration; use {DURATION_FORMS}")
    if span > _LONGEST:
        raise InvalidArgument(field, f"{_quote(text)} is longer than 1,000 years")
    return span


def parse_range(
    start: str,
    end: str,
    *,
    start_field: str = "start",
    end_field: str = "end",
    now: datetime | None = None,
    longest: timedelta | None = None,
) -> TimeRange:
    """A range of the past, both ends in the forms of `parse_instant`. An end in the future is cut to now.

    Args:
        longest: the longest range accepted.

    Raises:
        InvalidArgument: an end is malformed, the end is not after the start, the start lies in the future, or the range
            is longer than ``longest``.
    """
    moment = now or datetime.now(UTC)
    first = parse_instant(start, field=start_field, now=moment)
    last = parse_instant(end, field=end_field, now=moment)
    if first > moment:
        raise InvalidArgument(start_field, f"{rfc3339(first)} lies in the future (now {rfc3339(moment)})")
    if last <= first:
        raise InvalidArgument(end_field, f"{rfc3339(last)} is not after {start_field} {rfc3339(first)}")
    found = TimeRange(first, min(last, moment))
    if longest is not None and found.length > longest:
        raise InvalidArgument(
            start_field, f"the range of {format_age(found.length)} is longer than {format_age(longest)}; ask for less"
        )
    return found


def age(timestamp: object, *, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 timestamp of the API server was (``3d4h``); empty when there is none."""
    if not isinstance(timestamp, str) or not timestamp:
        return ""
    then = datetime.fromisoformat(timestamp)
    return format_age((now or datetime.now(UTC)) - then)


def format_age(span: timedelta) -> str:
    """A length of time as kubectl shows ages: ``45s``, ``5m30s``, ``3h``, ``3d4h``, ``2y40d``; below zero as ``0s``."""
    seconds = max(0, int(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _pair(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    return _days(days, hours)


def rfc3339(moment: datetime) -> str:
    """A time in its own zone as RFC 3339, with milliseconds only where it has any; UTC is written ``Z``.

    Raises:
        ValueError: the time has no zone (a mistake of the program, not of a caller).
    """
    if moment.tzinfo is None:
        raise ValueError("a time without zone cannot be shown")
    written = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return f"{written[:-6]}Z" if moment.utcoffset() == timedelta(0) else written


def _instant(given: str, moment: datetime, field: str) -> datetime:
    if (relative := _RELATIVE.fullmatch(given)) is not None:
        return _relative(relative, given, moment, field)
    if _UNIX.fullmatch(given) is not None:
        number = float(given)
        return _EPOCH + timedelta(seconds=number / 1000 if number >= _MILLISECONDS_FROM else number)
    if (ago := _span(given)) is not None:
        return _after_1970(moment - ago, field, given)
    return _absolute(given, field)


def _relative(match: re.Match[str], given: str, moment: datetime, field: str) -> datetime:
    shifted = moment.astimezone(UTC)
    if match["span"] is not None:
        span = _span(match["span"])
        if span is None:
            raise _refused(field, given, f"has no duration after now{match['sign']}")
        shifted = shifted + span if match["sign"] == "+" else shifted - span
    if match["floor"] is not None:
        shifted = _floor(shifted, match["floor"], given, field)
    return _after_1970(shifted, field, given)


def _floor(moment: datetime, unit: str, given: str, field: str) -> datetime:
    if unit == "s":
        return moment.replace(microsecond=0)
    if unit == "m":
        return moment.replace(second=0, microsecond=0)
    if unit == "h":
        return moment.replace(minute=0, second=0, microsecond=0)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "d":
        return midnight
    if unit == "w":
        return midnight - timedelta(days=midnight.weekday())
    raise _refused(field, given, "rounds down by an unknown unit (s, m, h, d, w)")


def _absolute(given: str, field: str) -> datetime:
    match = _RFC3339.fullmatch(given)
    if match is None:
        if _DATE_ONLY.fullmatch(given):
            raise _refused(field, given, "has no time of day and no zone")
        raise _refused(field, given, "is not a time")
    if match["zone"] is None:
        raise _refused(field, given, "has no zone; add Z or an offset such as +02:00")
    fraction = (match["fraction"] or "0")[:6].ljust(6, "0")
    clock = match["clock"] if match["clock"].count(":") == 2 else f"{match['clock']}:00"
    zone = "+00:00" if match["zone"] in {"Z", "z"} else match["zone"]
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{clock}.{fraction}{zone}")
    except ValueError:
        raise _refused(field, given, "is not a date and time that exists") from None
    return _after_1970(moment.astimezone(UTC), field, given)


def _after_1970(moment: datetime, field: str, given: str) -> datetime:
    if moment < _EPOCH:
        raise _refused(field, given, "lies before 1970")
    return moment.astimezone(UTC)


def _span(text: str) -> timedelta | None:
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return None
    seconds = sum(int(number) * _UNIT_SECONDS[unit] for unit, number in match.groupdict().items() if number is not None)
    return timedelta(seconds=seconds)


def _days(days: int, hours: int) -> str:
    if days < 8:
        return _pair(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    years = days // 365
    return _pair(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def _refused(field: str, given: str, why: str) -> InvalidArgument:
    return InvalidArgument(field, f"{_quote(given)} {why}; accepted: {INSTANT_FORMS}")


def _quote(text: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return ascii(shown)
