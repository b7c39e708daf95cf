"""Quantiles of native histograms, estimated inside a bucket as Prometheus does.

Source: https://prometheus.io/docs/specs/native_histograms/#histogram_quantile. In the buckets of the standard schemas
the observations are taken as spread exponentially, in the bucket around zero and in custom buckets evenly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.prometheus.numbers import number

if TYPE_CHECKING:
    from cloud_native_mcp.services.prometheus.answers import Histogram

_Bucket = tuple[float, float, float]
_SCHEMAS: Final = range(-4, 9)


def quantile(histogram: Histogram, wanted: float) -> float:
    """The value below which a share (0 to 1) of the observations lies; NaN without observations."""
    buckets = sorted((number(low), number(high), number(count)) for _, low, high, count in histogram.buckets)
    buckets = [bucket for bucket in buckets if bucket[2] > 0]
    total = number(histogram.count)
    if not buckets or math.isnan(total) or total <= 0:
        return math.nan
    backwards = wanted >= 0.5
    rank = (1 - wanted) * total if backwards else wanted * total
    (low, high, count), seen = _holding(buckets[::-1] if backwards else buckets, rank)
    share = (seen - rank) / count if backwards else (rank - seen + count) / count
    low, high = _around_zero(low, high, buckets)
    return _inside(low, high, min(1.0, max(0.0, share)))


def _holding(buckets: list[_Bucket], rank: float) -> tuple[_Bucket, float]:
    """The bucket that the rank falls into, and the observations up to its end."""
    seen = 0.0
    for bucket in buckets:
        seen += bucket[2]
        if seen >= rank:
            return bucket, seen
    return buckets[-1], rank


def _around_zero(low: float, high: float, buckets: list[_Bucket]) -> tuple[float, float]:
    """The bucket around zero ends at zero where all others lie on one side."""
    if not low < 0 < high or math.isinf(low) or math.isinf(high):
        return low, high
    positive = any(bucket[0] > 0 or bucket[1] > high for bucket in buckets)
    negative = any(bucket[1] < 0 or bucket[0] < low for bucket in buckets)
    return (0.0 if positive and not negative else low), (0.0 if negative and not positive else high)


def _inside(low: float, high: float, share: float) -> float:
    """The value at a share of a bucket."""
    if math.isinf(high):
        return low
    if math.isinf(low):
        if high <= 0:
            return high
        low = 0.0
    if low * high > 0 and _is_standard(low, high):
        return low * (high / low) ** share
    return low + (high - low) * share


def _is_standard(low: float, high: float) -> bool:
    """Whether the bounds are those of a standard schema: they grow by 2 to the power of 2 to the power of -schema."""
    growth = abs(math.log2(high / low))
    return any(math.isclose(growth, 2.0**-schema, rel_tol=1e-6) for schema in _SCHEMAS)
