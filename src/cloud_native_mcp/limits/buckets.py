"""Token buckets, one per key, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class TokenBuckets:
    """Each key may take ``burst`` tokens at once and ``rate`` tokens a second after that.

    Args:
        rate: tokens a second.
        burst: most tokens a key can save up.
        most: keys remembered; beyond it the one idle for longest is forgotten.
        clock: monotonic seconds.
    """

    __slots__ = ("_buckets", "_burst", "_clock", "_most", "_rate")

    def __init__(self, *, rate: float, burst: int, most: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Take one token: 0.0 when there was one, else the seconds until there is."""
        now = self._clock()
        kept = self._buckets.get(key)
        if kept is None:
            tokens = self._burst
            if len(self._buckets) >= self._most:
                self._buckets.popitem(last=False)
        else:
            tokens = min(self._burst, kept[0] + (now - kept[1]) * self._rate)
            self._buckets.move_to_end(key)
        if tokens >= 1.0:
            self._buckets[key] = (tokens - 1.0, now)
            return 0.0
        self._buckets[key] = (tokens, now)
        return (1.0 - tokens) / self._rate
