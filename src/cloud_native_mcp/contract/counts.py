"""Numbers of things in words."""

from __future__ import annotations


def number_of(count: int, noun: str, *, of: int | None = None) -> str:
    """``1 object``, ``3 objects``, ``1 of 3 objects``; the noun forms its plural by an s.

    Args:
        of: how many there are in all, which then tells the form of the noun.
    """
    several = (count if of is None else of) != 1
    return f"{count}{'' if of is None else f' of {of}'} {noun}{'s' if several else ''}"
