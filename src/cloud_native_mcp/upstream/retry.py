"""When a request is sent again, and after which pause."""

from __future__ import annotations

import email.utils
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.contract.deadline import Deadline

MAX_RETRIES = 2
RETRIED_STATUSES = frozenset({502, 503, 504})
LONGEST_HONOURED_PAUSE = 2.0
"""A Retry-After above this many seconds is passed on to the caller instead of being waited for."""

_READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PAUSES = ((0.03, 0.1), (0.1, 0.3))


def changes_nothing(method: str, read: bool | None) -> bool:  # noqa: FBT001
    """Whether a request may be sent more than once: what the service says, else by the method."""
    return method in _READ_METHODS if read is None else read


def pause_before(
    attempt: int,
    deadline: Deadline,
    *,
    asked: float | None = None,
    jitter: Callable[[float, float], float] = random.uniform,
) -> float | None:
    """Seconds to wait before the next attempt, or None when there must be none.

    Args:
        attempt: how many were made, from 1.
        asked: seconds the backend asked to wait.
        jitter: gives a random number between its arguments.
    """
    if attempt > MAX_RETRIES:
        return None
    pause = jitter(*_PAUSES[attempt - 1])
    if asked is not None:
        if asked > LONGEST_HONOURED_PAUSE:
            return None
        pause = max(pause, asked)
    return pause if pause < deadline.remaining else None


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds a backend asks to wait (``Retry-After`` as seconds or as a date), or None when it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
