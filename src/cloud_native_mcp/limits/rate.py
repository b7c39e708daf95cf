"""How many requests a caller may make, and how often a peer may fail to authenticate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.limits.buckets import TokenBuckets
from cloud_native_mcp.limits.peer import peer_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.limits.config import RateLimitConfig


RECORDS_PER_SECOND: Final = 1 / 60
"""How often the refusals of one caller are recorded: a flood of requests must not become one of records."""


class RateLimiter:
    """Requests per caller and failures per peer.

    A caller is its principal, so a new key of the same principal does not help; without authentication it is the peer.

    Args:
        clock: monotonic seconds.
    """

    __slots__ = ("_enabled", "_failures", "_records", "_requests")

    def __init__(self, config: RateLimitConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._enabled = config.enabled
        self._requests = TokenBuckets(
            rate=config.requests_per_second, burst=config.burst, most=config.max_callers, clock=clock
        )
        self._failures = TokenBuckets(
            rate=config.failures_per_second, burst=config.failure_burst, most=config.max_callers, clock=clock
        )
        self._records = TokenBuckets(rate=RECORDS_PER_SECOND, burst=1, most=config.max_callers, clock=clock)

    def take(self, key: str) -> float:
        """Count a request of that caller: 0.0 when it is admitted, else the seconds to wait."""
        return self._requests.take(key) if self._enabled else 0.0

    def fail(self, peer: str) -> float:
        """Count a failed authentication of that peer address: 0.0 while it may go on, else the seconds to wait."""
        return self._failures.take(peer_key(peer)) if self._enabled else 0.0

    def recorded(self, key: str) -> bool:
        """Whether the refusal of a request of that caller is to be recorded: the first, then one a minute."""
        return not self._records.take(key)


def caller_key(principal: Principal | None, peer: str) -> str:
    """Under which key the requests of a caller are counted."""
    if principal is None or principal.method == "none":
        return f"peer:{peer_key(peer)}"
    return f"{principal.method}:{principal.id}"
