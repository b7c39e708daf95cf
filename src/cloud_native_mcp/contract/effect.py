"""What a tool does to the world, and how its answers relate to time."""

from __future__ import annotations

import enum
from typing import Literal

Toolset = Literal["core", "extended"]
"""``core`` tools are in the aggregate endpoint's default list; ``extended`` ones join when the operator asks."""

Freshness = Literal["live", "ttl", "watched"]
"""``live`` asks the backend each time; ``ttl`` may answer from a cache; ``watched`` from a watch-backed store."""

TimeoutClass = Literal["quick", "slow", "long"]
"""Deadline of a call: quick 30 s, slow 60 s, long = the tool's own waiting argument + 15 s; all capped by config."""


class Effect(enum.StrEnum):
    """``read`` changes nothing, ``write`` is reversible, ``destroy`` deletes, evicts, executes or reveals."""

    READ = "read"
    WRITE = "write"
    DESTROY = "destroy"

    @property
    def rank(self) -> int:
        """0 for read, 1 for write, 2 for destroy."""
        return _RANK[self]


_RANK = {Effect.READ: 0, Effect.WRITE: 1, Effect.DESTROY: 2}
