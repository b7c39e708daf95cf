"""Circuit breaker: a target whose connections fail is left alone for a while."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

OPENS_AFTER = 5
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0


class Breaker:
    """Counts requests in a row that got no connection; refuses at once while open.

    Closed: all pass. Open after `OPENS_AFTER` failures in a row: refused until the pause is over, then half-open: one
    request is let through as a probe, the others are still refused. A probe that connects closes the breaker; one
    that fails doubles the pause (with jitter, at most `LONGEST_PAUSE` seconds).
    """

    __slots__ = ("_clock", "_failures", "_jitter", "_label", "_opens_at", "_pause", "_probing", "_reason")

    def __init__(
        self,
        label: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._label = label
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._opens_at = 0.0
        self._pause = FIRST_PAUSE
        self._probing = False
        self._reason = ""

    @property
    def open(self) -> bool:
        """Whether requests are refused now, a probe apart."""
        return self._failures >= OPENS_AFTER

    def admit(self) -> None:
        """Let a request pass; it must end in exactly one of `connected`, `failed` and `abandoned`.

        Raises:
            BackendError: ``unreachable``, at once, while open.
        """
        if not self.open:
            return
        wait = self._opens_at - self._clock()
        if wait > 0 or self._probing:
            when = f"in {wait:.0f} s" if wait >= 1 else "in a moment"
            raise BackendError(
                "unreachable",
                f"{self._label}: not tried: the last {self._failures} connections failed ({self._reason}); "
                f"the next try is {when}",
            )
        self._probing = True

    def connected(self) -> None:
        """The backend took the connection, whatever it answered."""
        self._failures = 0
        self._probing = False
        self._pause = FIRST_PAUSE

    def failed(self, reason: str) -> None:
        """No connection came about."""
        self._failures += 1
        self._probing = False
        self._reason = reason
        if self.open:
            self._opens_at = self._clock() + self._pause * self._jitter(0.8, 1.2)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def abandoned(self) -> None:
        """The request ended before it was known whether the backend can be reached."""
        self._probing = False
