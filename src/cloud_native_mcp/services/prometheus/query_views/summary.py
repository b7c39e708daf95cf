"""A range as one row per series: first, last, least, largest, mean, points, gaps and a spark line."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Table
from cloud_native_mcp.services.prometheus.labels import series_text, shared
from cloud_native_mcp.services.prometheus.numbers import descending, number, real, shown
from cloud_native_mcp.services.prometheus.query_views.native import histogram_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.result import Block, Cell
    from cloud_native_mcp.services.prometheus.answers import Series
    from cloud_native_mcp.services.prometheus.ranges import Grid

_BARS: Final = "▁▂▃▄▅▆▇█"
_EMPTY: Final = "·"
_SPARKS: Final = 24
_COLUMNS: Final = ("SERIES", "FIRST", "LAST", "MIN", "MAX", "AVG", "N", "GAPS", "TREND")


@dataclass(frozen=True, slots=True)
class Placed:
    """The values of one series at their places (0 …) on the grid."""

    places: Sequence[int]
    values: Sequence[float]


def summaries(series: Sequence[Series], grid: Grid) -> list[Block]:
    """A row per series, largest last value first; native histograms in a table of their own."""
    common = shared([one.metric for one in series])
    title = f"all have {series_text(common)}" if common else ""
    plain = [(one, placed(one, grid)) for one in series if one.values]
    plain.sort(key=lambda pair: (descending(pair[1].values[-1]), series_text(pair[0].metric)))
    blocks: list[Block] = []
    if plain:
        rows = [[series_text(one.metric, without=common), *_cells(found, grid.points)] for one, found in plain]
        blocks.append(Table(columns=_COLUMNS, rows=rows, title=title))
    last = "native histograms, the last of each series"
    histograms = histogram_table(series, without=common, title=last if plain or not title else f"{last}; {title}")
    return [*blocks, histograms] if histograms is not None else blocks


def placed(series: Series, grid: Grid) -> Placed:
    """The samples of a series on the grid."""
    start, step = grid.start.timestamp(), grid.step.total_seconds()
    return Placed([round((at - start) / step) for at, _ in series.values], [number(text) for _, text in series.values])


def gaps(places: Sequence[int], points: int) -> int:
    """How often a series is missing for one or more steps in a row, the ends of the range included."""
    edges = [-1, *places, points]
    return sum(1 for left, right in itertools.pairwise(edges) if right - left > 1)


def statistics(values: Sequence[float]) -> list[str]:
    """First, last, least, largest and mean as text; NaN values count for none of the last three."""
    numbers = real(values) or [math.nan]
    mean = math.fsum(numbers) / len(numbers) if all(map(math.isfinite, numbers)) else sum(numbers) / len(numbers)
    return [shown(value) for value in (values[0], values[-1], min(numbers), max(numbers), mean)]


def spark_line(places: Sequence[int], values: Sequence[float], points: int) -> str:
    """The course of a series in at most 24 characters, each the mean of its part of the range (``·``: none)."""
    width = min(_SPARKS, points)
    parts: list[list[float]] = [[] for _ in range(width)]
    for place, value in zip(places, values, strict=True):
        if math.isfinite(value):
            parts[min(width - 1, place * width // points)].append(value)
    means = [math.fsum(part) / len(part) if part else None for part in parts]
    known = [mean for mean in means if mean is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    return "".join(_EMPTY if mean is None else _bar(mean, low, high) for mean in means)


def _cells(found: Placed, points: int) -> list[Cell]:
    trend = spark_line(found.places, found.values, points)
    return [*statistics(found.values), len(found.values), gaps(found.places, points), trend]


def _bar(value: float, low: float, high: float) -> str:
    if high <= low:
        return _BARS[3]
    return _BARS[min(7, int((value - low) / (high - low) * 8))]
