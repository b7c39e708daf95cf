"""Shares a limit on bytes between the parts of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def shares(sizes: Sequence[int], limit: int) -> list[int]:
    """How many bytes each part may take: small parts whole, and the rest in equal shares for those that are cut.

    Args:
        sizes: bytes each part would take uncut.
        limit: bytes for all of them.
    """
    left = max(0, limit)
    allowed = [0] * len(sizes)
    waiting = sorted(range(len(sizes)), key=lambda part: sizes[part])
    while waiting:
        part = waiting[0]
        share = left // len(waiting)
        if sizes[part] > share:
            for cut in waiting:
                allowed[cut] = share
            break
        allowed[part] = sizes[part]
        left -= sizes[part]
        waiting.pop(0)
    return allowed
