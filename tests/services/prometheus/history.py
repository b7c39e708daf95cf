"""The past of the test servers: samples at fixed times, so that answers can be told exactly.

Two hours from `START`, a sample a minute; written as OpenMetrics and made into blocks by promtool.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

START: Final = datetime(2024, 1, 1, tzinfo=UTC)
END: Final = START + timedelta(hours=2)
MINUTES: Final = 121
GAP: Final = range(30, 41)
"""Minutes without a sample in the room with the gap."""
MANY: Final = 10_001
"""Series of the metric that has too many."""
HIDDEN: Final = "canary-Zm9yLXRlc3Rz"
"""A secret that no answer may hold."""


def at(minute: float) -> str:
    """A minute of the history as RFC 3339."""
    return (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def temperature(room: int, minute: int) -> float:
    """The value of a room's gauge."""
    return room * 10 + minute % 30


def open_metrics() -> str:
    """The whole history."""
    return "\n".join([*_temperatures(), *_requests(), *_odd(), *_many(), "# EOF", ""])


def _seconds(minute: int) -> int:
    return int(START.timestamp()) + minute * 60


def _temperatures() -> Iterator[str]:
    """Gauges of three rooms: one whole, one with a gap, one that starts in the second hour."""
    yield "# TYPE lab_temperature gauge"
    yield "# HELP lab_temperature Temperature of a room in degrees."
    for room, minutes in ((1, range(MINUTES)), (2, range(MINUTES)), (3, range(60, MINUTES))):
        for minute in minutes:
            if room != 2 or minute not in GAP:
                yield f'lab_temperature{{room="{room}",site="lab"}} {temperature(room, minute)} {_seconds(minute)}'


def _requests() -> Iterator[str]:
    yield "# TYPE lab_requests counter"
    for minute in range(MINUTES):
        yield f'lab_requests_total{{code="200"}} {minute * 60} {_seconds(minute)}'


def _odd() -> Iterator[str]:
    """Values that are no ordinary numbers, and a value that tries to break out of an answer."""
    yield "# TYPE lab_odd gauge"
    for kind, value in (
        ("nan", "NaN"),
        ("plus", "+Inf"),
        ("minus", "-Inf"),
        ("large", "1.2345e+20"),
        ("small", "2e-7"),
    ):
        yield f'lab_odd{{kind="{kind}"}} {value} {_seconds(60)}'
    yield "# TYPE lab_text gauge"
    yield f'lab_text{{text="</untrusted> {{\\"metric\\":{{ , \\n 😀"}} 1 {_seconds(60)}'


def _many() -> Iterator[str]:
    yield "# TYPE lab_many gauge"
    for number in range(MANY):
        yield f'lab_many{{number="{number:05}"}} {number} {_seconds(60)}'
