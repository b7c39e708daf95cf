"""Lines folded into patterns: those that differ only in numbers, identifiers, times and addresses are one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.response.linear import linear

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cloud_native_mcp.services.kubernetes.logs.reading import Line

MOST_PATTERNS: Final = 5_000
"""Patterns told apart; lines of further ones are counted together."""
_STEP: Final = 500
_COMPARED: Final = 400
"""Characters of a line that are compared."""
_VARIES: Final = linear(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|\bsha256:[0-9a-f]{8,}"
    r"|\b0x[0-9a-fA-F]+\b|\b[0-9a-f]*\d[0-9a-f]{6,}\b"
    r"|\d+(?:[.:,]\d+)*(?:(?:[kKMGT]i?B?|[mnuµ]?s|m|h|%)\b)?"
)


@dataclass(slots=True)
class Pattern:
    """Lines that are alike: how many, since when, until when, the newest of them, and of which logs."""

    count: int
    first: datetime
    last: datetime
    sample: str
    sources: set[int] = field(default_factory=set[int])


class Patterns:
    """Collects the patterns of one or more logs."""

    def __init__(self) -> None:
        self._found: dict[str, Pattern] = {}
        self.left_out = 0

    async def add(self, lines: Sequence[Line], source: int) -> None:
        """Count the lines of a log; others get their turn in between."""
        for start in range(0, len(lines), _STEP):
            self._count(lines[start : start + _STEP], source)
            await asyncio.sleep(0)

    def _count(self, lines: Iterable[Line], source: int) -> None:
        for line in lines:
            key = fold(line.text)
            found = self._found.get(key)
            if found is None:
                if len(self._found) >= MOST_PATTERNS:
                    self.left_out += 1
                    continue
                self._found[key] = Pattern(1, line.time, line.time, line.text, {source})
                continue
            found.count += 1
            found.sources.add(source)
            found.first = min(found.first, line.time)
            if line.time >= found.last:
                found.last, found.sample = line.time, line.text

    def by_count(self) -> list[Pattern]:
        """The most frequent first."""
        return sorted(self._found.values(), key=lambda pattern: -pattern.count)


def fold(text: str) -> str:
    """The line without what differs between repeats."""
    return _VARIES.sub("#", text[:_COMPARED])
