"""Chosen lines as text: logs merged by time, repeats folded, long lines cut, the newest kept within a size."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.response.size import head_within, size_of
from cloud_native_mcp.services.kubernetes.logs.errors import ErrorBlocks
from cloud_native_mcp.services.kubernetes.logs.reading import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_native_mcp.services.kubernetes.logs.reading import Line

LONGEST_LINE: Final = 1_000
LONGEST_ERROR: Final = 2_000
"""Bytes of the first error block that is shown when the cut would lose it."""
_STEP: Final = 2_000


@dataclass(slots=True)
class Entry:
    """A line of one log, and how often it stands there in a row."""

    line: Line
    source: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """Text of the newest lines, and how many of each log are in it."""

    text: str
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Style:
    """How lines are written: each log's label (empty for a single log), and whether times are shown."""

    labels: Sequence[str]
    timestamps: bool

    def row(self, entry: Entry) -> str:
        """One line of the answer."""
        time = entry.line.time
        stamp = f"{rfc3339(time)} " if self.timestamps and time != NO_TIME else ""
        label = self.labels[entry.source]
        repeats = f" (x{entry.count})" if entry.count > 1 else ""
        return f"{stamp}{label}{': ' if label else ''}{cut_line(entry.line.text)}{repeats}"


def newest_first(logs: Sequence[Sequence[Line]]) -> Iterator[Entry]:
    """The lines of all logs, the newest first; equal neighbours of one log are one entry with the time of the first.

    Lines of one log keep their order, whatever their times.
    """
    marked = [zip(reversed(lines), itertools.repeat(source)) for source, lines in enumerate(logs)]
    last: Entry | None = None
    for line, source in heapq.merge(*marked, key=lambda pair: pair[0].time, reverse=True):
        if last is not None and last.source == source and last.line.text == line.text:
            last = Entry(line, source, last.count + 1)
            continue
        if last is not None:
            yield last
        last = Entry(line, source)
    if last is not None:
        yield last


def newest_within(logs: Sequence[Sequence[Line]], style: Style, size: int) -> Shown:
    """The newest lines that fit into so many bytes, oldest first; at least one."""
    rows: list[str] = []
    counts = [0] * len(logs)
    for entry in newest_first(logs):
        row = style.row(entry)
        size -= size_of(row) + 1
        if size < 0 and rows:
            break
        rows.append(row)
        counts[entry.source] += entry.count
    return Shown("\n".join(reversed(rows)), counts)


async def first_error(logs: Sequence[Sequence[Line]], style: Style) -> str:
    """The earliest error of all logs with its stack trace; empty when there is none."""
    blocks = [(block, source) for source, lines in enumerate(logs) if (block := await _first_block(lines))]
    if not blocks:
        return ""
    block, source = min(blocks, key=lambda found: found[0][0].time)
    return head_within("\n".join(style.row(Entry(line, source)) for line in block), LONGEST_ERROR)


def cut_line(text: str, longest: int = LONGEST_LINE) -> str:
    """The line, or its start and how much is left out."""
    if size_of(text) <= longest:
        return text
    head = head_within(text, longest)
    return f"{head}… (+{size_of(text) - size_of(head)} bytes)"


async def _first_block(lines: Sequence[Line]) -> list[Line]:
    found = ErrorBlocks()
    for start in range(0, len(lines), _STEP):
        found.add(lines[start : start + _STEP])
        if len(found.blocks) > 1:
            break
        await asyncio.sleep(0)
    return found.blocks[0] if found.blocks else []
