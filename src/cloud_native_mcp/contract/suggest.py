"""Near names for a name that does not exist, so that a caller can correct it without another list call."""

from __future__ import annotations

import heapq
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_NAME: Final = 200
_SHORTLIST: Final = 40
_CUTOFF: Final = 0.55


def nearest(name: str, choices: Iterable[str], n: int = 3) -> list[str]:
    """At most ``n`` of the choices that look like ``name``, best first; letter case is ignored.

    Thousands of choices are ranked by shared pairs of letters first, so that the costly comparison sees only a few.
    """
    wanted = name[:_LONGEST_NAME].casefold()
    if not wanted:
        return []
    pairs = _pairs(wanted)
    shortlist = heapq.nlargest(
        _SHORTLIST,
        ((_overlap(wanted, pairs, choice.casefold()), choice) for choice in dict.fromkeys(choices)),
        key=lambda scored: scored[0],
    )
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    ranked: list[tuple[float, str]] = []
    for overlap, choice in shortlist:
        matcher.set_seq1(choice[:_LONGEST_NAME].casefold())
        score = max(matcher.ratio(), overlap)
        if score >= _CUTOFF:
            ranked.append((score, choice))
    ranked.sort(key=lambda scored: (-scored[0], scored[1]))
    return [choice for _, choice in ranked[:n]]


def _overlap(wanted: str, pairs: frozenset[str], choice: str) -> float:
    """Share of letter pairs in common, 0 to 1; at least 0.6 where one of the two holds the other whole."""
    shortened = choice[:_LONGEST_NAME]
    others = _pairs(shortened)
    score = 2 * len(pairs & others) / (len(pairs) + len(others))
    contained = len(wanted) > 2 and len(shortened) > 2 and (wanted in shortened or shortened in wanted)
    return max(score, 0.6 + 0.3 * score) if contained else score


def _pairs(text: str) -> frozenset[str]:
    padded = f" {text} "
    return frozenset(padded[i : i + 2] for i in range(len(padded) - 1))
