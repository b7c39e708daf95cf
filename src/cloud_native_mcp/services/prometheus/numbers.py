"""Sample values: Prometheus sends them as text; NaN and infinities stay text in answers."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN_FROM: Final = 1e-4
_PLAIN_TO: Final = 1e15


def number(text: str) -> float:
    """The value of a sample; NaN for text that is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def shown(value: float) -> str:
    """A value with at least six significant digits and no needless ones."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    size = abs(value)
    if value == int(value) and size < _PLAIN_TO:
        return str(int(value))
    if not _PLAIN_FROM <= size < _PLAIN_TO:
        return f"{value:.6g}"
    digits = max(0, 5 - math.floor(math.log10(size)))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def real(values: Iterable[float]) -> list[float]:
    """The values that are numbers."""
    return [value for value in values if not math.isnan(value)]


def descending(value: float) -> float:
    """Sort key: largest first, NaN last."""
    return math.inf if math.isnan(value) else -value


def seconds_shown(seconds: float) -> str:
    """A duration: ``850ms``, ``1.2s``, ``90s``, ``2h``."""
    if seconds < 1:
        return f"{seconds * 1000:.3g}ms"
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f}s"
    return span_shown(timedelta(seconds=round(seconds)))


def span_shown(span: timedelta) -> str:
    """A length of time in the largest units that give it exactly: ``15s``, ``1m30s``, ``1d``, ``250ms``."""
    milliseconds = round(span.total_seconds() * 1000)
    parts: list[str] = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def moment(seconds: float) -> datetime:
    """Unix seconds as a time in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def parameter(when: datetime) -> str:
    """A time as the API takes it."""
    return f"{when.timestamp():.3f}"
