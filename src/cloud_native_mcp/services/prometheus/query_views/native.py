"""Native histograms as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Table
from cloud_native_mcp.services.prometheus.labels import series_text
from cloud_native_mcp.services.prometheus.native_histogram import quantile
from cloud_native_mcp.services.prometheus.numbers import descending, number, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cloud_native_mcp.services.prometheus.answers import Histogram, Series

_QUANTILES: Final = {"P50": 0.5, "P95": 0.95, "P99": 0.99}


def histogram_table(series: Sequence[Series], *, without: Collection[str], title: str) -> Table | None:
    """One row per series with its last native histogram, most observations first; None when there is none."""
    found = [(one, last) for one in series if (last := _last(one)) is not None]
    if not found:
        return None
    found.sort(key=lambda pair: (descending(number(pair[1].count)), series_text(pair[0].metric)))
    rows = [[series_text(one.metric, without=without), *_cells(histogram)] for one, histogram in found]
    return Table(columns=["HISTOGRAM", "COUNT", "SUM", *_QUANTILES], rows=rows, title=title)


def _last(series: Series) -> Histogram | None:
    if series.histogram is not None:
        return series.histogram[1]
    return series.histograms[-1][1] if series.histograms else None


def _cells(histogram: Histogram) -> list[str]:
    values = [quantile(histogram, share) for share in _QUANTILES.values()]
    return [shown(number(histogram.count)), shown(number(histogram.sum)), *(shown(value) for value in values)]
