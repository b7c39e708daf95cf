"""What is kept of each log: matches of ``grep``, errors with their stack traces, the newest ``tail`` lines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal

from cloud_native_mcp.services.kubernetes.logs.errors import ErrorBlocks
from cloud_native_mcp.services.kubernetes.logs.reading import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.services.kubernetes.logs.matching import Grep
    from cloud_native_mcp.services.kubernetes.logs.reading import Line, Read

View = Literal["lines", "errors", "patterns"]
_STEP: Final = 2_000
"""Lines looked at before others get their turn."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a caller wants to see of each log."""

    view: View
    tail: int
    grep: Grep | None

    @property
    def scans(self) -> bool:
        """Whether more is read than is shown."""
        return self.grep is not None or self.view != "lines"

    @property
    def lines(self) -> int:
        """Lines to read of each log."""
        return MOST_LINES if self.scans else self.tail


@dataclass(slots=True)
class Kept:
    """The chosen lines of one log, oldest first.

    Attributes:
        scanned: lines that were looked at.
        matched: lines that were chosen before ``tail`` was applied.
    """

    scanned: int = 0
    matched: int = 0
    lines: list[Line] = field(default_factory=list["Line"])
    cut: str = ""
    whole: bool = True


async def choose_lines(read: Read, choice: Choice) -> Kept:
    """The lines of a log that a caller wants; for patterns all of them."""
    kept = Kept(scanned=len(read.lines), cut=read.cut, whole=read.whole)
    lines = read.lines
    if choice.view == "errors":
        lines = await _errors(lines, choice.grep)
    elif choice.grep is not None:
        lines = await _matching(lines, choice.grep)
    kept.matched = len(lines)
    kept.lines = lines if choice.view == "patterns" else lines[-choice.tail :]
    return kept


async def _matching(lines: Sequence[Line], grep: Grep) -> list[Line]:
    found: list[Line] = []
    for start in range(0, len(lines), _STEP):
        found += [line for line in lines[start : start + _STEP] if grep.keeps(line.text)]
        await asyncio.sleep(0)
    return found


async def _errors(lines: Sequence[Line], grep: Grep | None) -> list[Line]:
    """Blocks of errors; with ``grep`` those of which a line matches."""
    found = ErrorBlocks()
    for start in range(0, len(lines), _STEP):
        found.add(lines[start : start + _STEP])
        await asyncio.sleep(0)
    wanted = [b for b in found.blocks if grep is None or any(grep.keeps(line.text) for line in b)]
    return list(chain.from_iterable(wanted))
