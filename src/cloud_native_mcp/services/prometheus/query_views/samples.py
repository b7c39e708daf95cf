"""The samples of a query: on the grid of a range, or as scraped (``up[5m]``)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Table
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.services.prometheus.labels import series_text, shared
from cloud_native_mcp.services.prometheus.numbers import descending, moment, number
from cloud_native_mcp.services.prometheus.query_views.native import histogram_table
from cloud_native_mcp.services.prometheus.query_views.summary import placed, statistics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cloud_native_mcp.contract.result import Block, Cell
    from cloud_native_mcp.services.prometheus.answers import Series
    from cloud_native_mcp.services.prometheus.ranges import Grid

_WIDE: Final = 20
"""Series up to here have a column each."""
_TIME_BYTES: Final = 9
_CELL_BYTES: Final = 2


def points(series: Sequence[Series], grid: Grid, *, size: int) -> tuple[list[Block], list[str]]:
    """The points of a range in about ``size`` bytes, and what was left out.

    Up to 20 series have a column each, more are in long form. Where the points take more, evenly spread ones are shown,
    and of each series its least and its largest.
    """
    plain = sorted((one for one in series if one.values), key=lambda one: series_text(one.metric))
    common = shared([one.metric for one in plain])
    blocks: list[Block] = []
    notes: list[str] = []
    if plain:
        table, notes = (_wide if len(plain) <= _WIDE else _long)(plain, grid, common, size)
        blocks.append(table)
    histograms = histogram_table(series, without=common, title="native histograms, the last of each series")
    return ([*blocks, histograms] if histograms is not None else blocks), notes


def raw_samples(series: Sequence[Series], *, points: bool) -> list[Block]:
    """The samples of a range vector: a row per series, or one per sample in long form."""
    plain = [one for one in series if one.values]
    common = shared([one.metric for one in plain])
    title = f"all have {series_text(common)}" if common else ""
    blocks: list[Block] = []
    if plain and points:
        rows: list[list[Cell]] = [
            [series_text(one.metric, without=common), rfc3339(moment(at)), value]
            for one in plain
            for at, value in one.values
        ]
        blocks.append(Table(columns=["SERIES", "TIME", "VALUE"], rows=rows, title=title))
    elif plain:
        found = [(one, [number(text) for _, text in one.values]) for one in plain]
        found.sort(key=lambda pair: (descending(pair[1][-1]), series_text(pair[0].metric)))
        rows = [[series_text(one.metric, without=common), *statistics(values), len(values)] for one, values in found]
        columns = ["SERIES", "FIRST", "LAST", "MIN", "MAX", "AVG", "N"]
        blocks.append(Table(columns=columns, rows=rows, title=title))
    histograms = histogram_table(series, without=common, title="native histograms, the last of each series")
    return [*blocks, histograms] if histograms is not None else blocks


def spread(count: int, wanted: int, kept: set[int]) -> list[int]:
    """At most about ``wanted`` places of 0 … count-1: the kept ones, both ends, and others evenly between."""
    if count <= wanted:
        return list(range(count))
    even = max(2, wanted - len(kept))
    return sorted(kept | {round(i * (count - 1) / (even - 1)) for i in range(even)})


def extremes(values: Sequence[float]) -> set[int]:
    """Where the least and the largest value are."""
    real = [place for place, value in enumerate(values) if not math.isnan(value)]
    if not real:
        return set()
    return {min(real, key=values.__getitem__), max(real, key=values.__getitem__)}


def _wide(series: Sequence[Series], grid: Grid, common: dict[str, str], size: int) -> tuple[Table, list[str]]:
    by_place = [dict(zip(placed(one, grid).places, one.values, strict=True)) for one in series]
    places = sorted(set[int]().union(*by_place))
    longest = sum(max(len(text) for _, text in one.values) + _CELL_BYTES for one in series) + _TIME_BYTES
    row_of = {place: row for row, place in enumerate(places)}
    kept: set[int] = set()
    for one, found in zip(series, by_place, strict=True):
        own = list(found)
        kept |= {row_of[own[at]] for at in extremes([number(text) for _, text in one.values])}
    chosen = spread(len(places), max(2, size // longest), kept)
    clock = _Clock(grid)
    rows: list[list[Cell]] = []
    for row in chosen:
        place = places[row]
        values = [found[place][1] if place in found else None for found in by_place]
        rows.append([clock.text(place), *values])
    columns = [clock.column, *(_column(one, common) for one in series)]
    table = Table(columns=columns, rows=rows, title=_title(common, clock))
    return table, _cut(len(chosen), len(places), "times")


def _long(series: Sequence[Series], grid: Grid, common: dict[str, str], size: int) -> tuple[Table, list[str]]:
    clock = _Clock(grid)
    names = [series_text(one.metric, without=common) for one in series]
    each = max(2, size // sum(len(name) + _TIME_BYTES + _CELL_BYTES + 8 for name in names))
    rows: list[list[Cell]] = []
    for name, one in zip(names, series, strict=True):
        found = placed(one, grid)
        chosen = spread(len(found.places), each, extremes(found.values))
        rows.extend([name, clock.text(found.places[at]), one.values[at][1]] for at in chosen)
    total = sum(len(one.values) for one in series)
    table = Table(columns=["SERIES", clock.column, "VALUE"], rows=rows, title=_title(common, clock))
    return table, _cut(len(rows), total, "points")


class _Clock:
    """Times of a grid as short as they are clear: the hour alone when the range lies in one day."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.day = f"{grid.start:%Y-%m-%d}" if grid.start.date() == grid.end.date() else ""
        self.column = "TIME"

    def text(self, place: int) -> str:
        at: datetime = self._grid.start + place * self._grid.step
        whole = rfc3339(at)
        return whole[11:-1] if self.day else whole


def _column(series: Series, common: dict[str, str]) -> str:
    name = series_text(series.metric, without=common)
    return name if name != "{}" else "VALUE"


def _title(common: dict[str, str], clock: _Clock) -> str:
    said = [f"UTC, {clock.day}"] if clock.day else []
    said += [f"all have {series_text(common)}"] if common else []
    return "; ".join(said)


def _cut(shown: int, total: int, what: str) -> list[str]:
    if shown >= total:
        return []
    return [f"{shown} of {total} {what} shown, evenly spread, with the least and largest of each series"]
