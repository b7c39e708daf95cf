"""The range and step of a query: what was asked, and what is sent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cloud_native_mcp.contract.times import TimeRange, parse_duration, parse_instant, parse_range, rfc3339
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.prometheus.numbers import span_shown

_ROUND_STEPS: Final = (
    *(1, 2, 5, 10, 15, 20, 30),
    *(60, 120, 300, 600, 900, 1200, 1800),
    *(3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400),
)
_DAY: Final = 86_400
_SKEW: Final = timedelta(minutes=1)
"""How far in the future an instant may lie: clocks differ."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The evaluation times of a range query.

    ``points`` is how many fall into the range; ``widened_from`` is the step asked for, when it gave too many.
    """

    start: datetime
    end: datetime
    step: timedelta
    widened_from: timedelta | None = None
    cut_to_now: bool = False

    @property
    def points(self) -> int:
        """Evaluations per series, both ends included where they fit."""
        return int((self.end - self.start) / self.step) + 1

    def describe(self) -> str:
        """The range and step in words."""
        widened = f" (widened from {span_shown(self.widened_from)})" if self.widened_from else ""
        return f"{rfc3339(self.start)} to {rfc3339(self.end)}, step {span_shown(self.step)}{widened}"

    def notes(self) -> list[str]:
        """What the caller should know about times that are not as asked."""
        if not self.cut_to_now:
            return []
        return [f"`to` lay in the future: the range ends now ({rfc3339(self.end)})"]


def instant(text: str, *, field: str, now: datetime | None = None) -> datetime:
    """The time to evaluate at.

    Raises:
        InvalidArgument: malformed, or more than a minute in the future.
    """
    present = now or datetime.now(UTC)
    when = parse_instant(text, field=field, now=present)
    if when > present + _SKEW:
        raise InvalidArgument(field, f"{rfc3339(when)} lies in the future (now {rfc3339(present)})")
    return when


def window(start: str, end: str, *, now: datetime | None = None) -> TimeRange:
    """The range between ``from`` and ``to``, in whole seconds; an end in the future is cut to now."""
    present = (now or datetime.now(UTC)).replace(microsecond=0)
    given = parse_range(start, end, start_field="from", end_field="to", now=present)
    return TimeRange(given.start.replace(microsecond=0), given.end.replace(microsecond=0))


def grid(start: str, end: str, step: str | None, *, max_points: int, now: datetime | None = None) -> Grid:
    """The evaluation times for a range; a step that gives more than ``max_points`` is widened.

    Raises:
        InvalidArgument: a time or the step is malformed, the range is empty or begins in the future.
    """
    present = (now or datetime.now(UTC)).replace(microsecond=0)
    span = window(start, end, now=present)
    if span.length <= timedelta(0):
        raise InvalidArgument("to", f"{rfc3339(span.end)} is less than a second after from; use `time` for one instant")
    cut = parse_instant(end, field="to", now=present) > present
    least = _round_up(span.length / max(1, max_points - 1))
    if step is None:
        return Grid(span.start, span.end, least, cut_to_now=cut)
    asked = parse_duration(step, field="step")
    if asked <= timedelta(0):
        raise InvalidArgument("step", "must be longer than zero, such as 30s")
    if int(span.length / asked) + 1 <= max_points:
        return Grid(span.start, span.end, asked, cut_to_now=cut)
    return Grid(span.start, span.end, least, widened_from=asked, cut_to_now=cut)


def _round_up(span: timedelta) -> timedelta:
    """The next round step: 1s, 2s, 5s … 12h, then whole days."""
    seconds = span.total_seconds()
    for step in _ROUND_STEPS:
        if step >= seconds:
            return timedelta(seconds=step)
    return timedelta(seconds=math.ceil(seconds / _DAY) * _DAY)
