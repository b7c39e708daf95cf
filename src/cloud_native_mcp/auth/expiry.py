"""Tells of API keys that end soon: in the log once a day, in the metrics, and in the health detail."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from cloud_native_mcp.auth.key_states import KeyFacts

logger = logging.getLogger(__name__)

_DAY: Final = 86_400.0
_OVER: Final = frozenset(("expired", "revoked", "unusable"))
Expiries = list[tuple[str, str, float]]
"""Visible id, key id (empty for a configured key), and the seconds since 1970 at which the key ends."""


class ExpiryWatch:
    """Takes the facts of all keys whenever they were read, and tells of those that end soon.

    Args:
        gauge: takes the end of every key that has one and is good.
    """

    def __init__(self, gauge: Callable[[Expiries], None] = lambda _: None) -> None:
        self._gauge = gauge
        self._facts: tuple[KeyFacts, ...] = ()
        self._told: dict[tuple[str, str, str], float] = {}

    def update(self, facts: tuple[KeyFacts, ...], *, now: datetime) -> None:
        """The keys as they are now."""
        self._facts = facts
        self._gauge(
            [(key.id, key.key_id, key.expires.timestamp()) for key in facts if key.expires and key.state not in _OVER]
        )
        for key in facts:
            if key.state in {"expiring", "unusable"}:
                self._tell(key, now.timestamp())

    def ending(self) -> Sequence[dict[str, str]]:
        """The keys that end soon or cannot be used: ``id``, ``key``, ``state``, ``expires``."""
        return [
            {
                "id": key.id,
                "key": key.key_id,
                "state": key.state,
                "expires": rfc3339(key.expires) if key.expires else "",
            }
            for key in self._facts
            if key.state in {"expiring", "overlap", "unusable"}
        ]

    def _tell(self, key: KeyFacts, now: float) -> None:
        what = (key.id, key.key_id, key.state)
        if now - self._told.get(what, -_DAY) < _DAY:
            return
        self._told[what] = now
        name = f"{key.id} {key.key_id}".rstrip()
        if key.state == "unusable":
            logger.warning("API key %s was made with a state key that is not configured any more: rotate it", name)
        elif key.expires is not None:
            logger.warning("API key %s expires at %s: rotate it before", name, rfc3339(key.expires))
