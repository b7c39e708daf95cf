"""What is around a search text in a long one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_AROUND: Final = 3
_MOST_MATCHES: Final = 200


@dataclass(frozen=True, slots=True)
class Found:
    """Lines around the matches of a search, and how many lines match."""

    text: str
    matches: int


def find(text: str, wanted: str) -> Found:
    """The lines that hold a text (letter case ignored) with three lines around each; gaps are shown as ``…``."""
    lines = text.split("\n")
    sought = wanted.casefold()
    hits = [at for at, line in enumerate(lines) if sought in line.casefold()]
    shown: list[str] = []
    until = 0
    for hit in hits[:_MOST_MATCHES]:
        start = max(until, hit - _AROUND)
        if shown and start > until:
            shown.append("…")
        end = min(len(lines), hit + _AROUND + 1)
        shown.extend(lines[start:end])
        until = max(until, end)
    return Found("\n".join(shown), len(hits))
