"""The blocks of an answer as text that is safe to show, and their cutting to a share of the budget.

Order matters: text is cleaned of invisible characters, then credentials are taken out, then the envelope's markers are
escaped, and only then is it cut, so that no half of a credential or marker survives a cut.
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal

from cloud_native_mcp.contract.result import Revealed, Table, Text
from cloud_native_mcp.response.clean import clean, clean_line
from cloud_native_mcp.response.document import dump
from cloud_native_mcp.response.envelope import defuse, wrap
from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.response.objects import mask_object
from cloud_native_mcp.response.size import head_within, in_words, size_of, tail_within
from cloud_native_mcp.response.table import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.contract.result import Document

    Digest = Callable[[bytes], str]

CUT_NOTE: Final = 120
"""Bytes kept free in each block for the note that it was cut."""


def safe_line(text: str) -> str:
    """One line that is safe to show."""
    return defuse(scrub(clean_line(text)))


def safe_text(text: str) -> str:
    """Text of several lines that is safe to show."""
    return defuse(scrub(clean(text)))


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a block: its title, and the envelope when others wrote the text."""

    title: str
    source: str
    untrusted: bool

    @property
    def size(self) -> int:
        """Bytes the frame takes, with the newline after the block."""
        return size_of(self.around("")) + 1

    def around(self, body: str) -> str:
        """The framed block."""
        inside = wrap(body, self.source) if self.untrusted else body
        return f"{self.title}\n{inside}" if self.title else inside


@dataclass(frozen=True, slots=True)
class TablePart:
    """A table as lines; ``lines[0]`` names the columns. ``ends[i]`` is the bytes of the first i + 1 lines."""

    frame: Frame
    lines: Sequence[str]
    ends: Sequence[int]

    @property
    def rows(self) -> int:
        """Rows there are."""
        return len(self.lines) - 1

    @property
    def size(self) -> int:
        """Bytes when shown whole."""
        return self.ends[-1] + self.frame.size

    def fitting(self, limit: int) -> int:
        """How many rows fit into so many bytes; at least one, so that a page always goes on."""
        room = limit - self.frame.size
        if self.ends[-1] <= room:
            return self.rows
        return max(1, bisect_right(self.ends, room - CUT_NOTE) - 1)

    def show(self, rows: int, limit: int, *, announce: bool) -> str:
        """The first rows; with ``announce`` a cut is said below them. A single row too long for the limit is cut."""
        if not self.rows:
            return Frame(self.frame.title, "", untrusted=False).around("(none)")
        room = limit - self.frame.size - CUT_NOTE
        cut_row = rows == 1 and self.ends[1] > room + CUT_NOTE
        if cut_row:
            left = max(0, room - self.ends[0])
            text = self.frame.around(f"{self.lines[0]}\n{head_within(self.lines[1], left)}")
            text += f"\n… cut: {in_words(left)} of the row's {in_words(size_of(self.lines[1]))}"
        else:
            text = self.frame.around("\n".join(self.lines[: rows + 1]))
        if announce and rows < self.rows:
            text += f"\n… cut: {rows} of {self.rows} rows shown"
        return text


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text that may be cut at one end."""

    frame: Frame
    text: str
    keep: Literal["head", "tail"]

    @property
    def size(self) -> int:
        """Bytes when shown whole."""
        return size_of(self.text) + self.frame.size

    def show(self, limit: int) -> str:
        """The text within so many bytes; a cut is said at the end where it was made."""
        if self.size <= limit:
            return self.frame.around(self.text)
        room = limit - self.frame.size - CUT_NOTE
        kept = head_within(self.text, room) if self.keep == "head" else tail_within(self.text, room)
        end = "first" if self.keep == "head" else "last"
        note = (
            f"… cut: {end} {in_words(size_of(kept))} of {in_words(size_of(self.text))}, "
            f"{_line_count(kept)} of {_line_count(self.text)} lines shown"
        )
        framed = self.frame.around(kept)
        return f"{framed}\n{note}" if self.keep == "head" else f"{note}\n{framed}"


Part = TablePart | TextPart


def part_of(block: Table | Text | Document | Revealed, digest: Digest) -> Part:
    """A block as safe text.

    Args:
        digest: short keyed digest, shown in place of secret values.
    """
    if isinstance(block, Revealed):
        return _revealed(block)
    source = scrub(block.source) if block.untrusted else ""
    frame = Frame(safe_line(block.title) if block.title else "", source, untrusted=block.untrusted)
    if isinstance(block, Table):
        lines = [defuse(line) for line in lines_of(block.columns, block.rows)]
        return TablePart(frame, lines, list(accumulate(size_of(line) + 1 for line in lines)))
    if isinstance(block, Text):
        return TextPart(frame, safe_text(block.text).strip("\n"), block.keep)
    return TextPart(frame, safe_text(dump(mask_object(block.value, digest), block.format)), "head")


def _revealed(block: Revealed) -> TextPart:
    """The value to the byte: as text only where nothing of it would be lost or read as a marker."""
    shape = in_words(len(block.value))
    text = _plain(block.value)
    if text is None:
        text, shape = base64.b64encode(block.value).decode("ascii"), f"{shape}, as base64"
    elif text.endswith("\n"):
        text, shape = text[:-1], f"{shape}, ends with a newline"
    return TextPart(Frame(safe_line(f"{block.name} ({shape})"), scrub(block.source), untrusted=True), text, "head")


def _plain(value: bytes) -> str | None:
    """The value as text, or None when showing it as text would change it."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if defuse(clean(text)) == text else None


def _line_count(text: str) -> int:
    return text.count("\n") + 1 if text else 0
