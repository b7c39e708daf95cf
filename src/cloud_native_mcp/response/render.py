"""Renders results and errors: the one place where an answer becomes what a client sees.

The form of an answer: one header line (what, where, as of when), the blocks, then a footer with notes, what failed,
how many rows are shown, how to narrow, and the cursor. All text is one MCP text block; pictures follow it.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Image
from cloud_native_mcp.errors import CODES
from cloud_native_mcp.response.budget import shares
from cloud_native_mcp.response.parts import TablePart, part_of, safe_line
from cloud_native_mcp.response.size import head_within, in_words, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.contract.result import CursorState, Page, Result
    from cloud_native_mcp.errors import ToolError
    from cloud_native_mcp.response.parts import Part

    Seal = Callable[[CursorState], str]

ERROR_LIMIT: Final = 1_000
MIN_SHARE: Final = 400
"""Bytes a part of an answer is worth; of more parts than fit so, only the first are shown."""
HEADER_SHARE: Final = 8
"""Header and notes together take at most one part in so many of an answer, each."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """MCP content blocks in wire form, their size in bytes (pictures before base64), and the table rows shown."""

    content: list[Mapping[str, object]]
    size: int
    shown: int = 0


class Renderer:
    """Renders with the masks of this server.

    Args:
        digest: short keyed digest of a value, shown in place of secrets so that equal values are seen to be equal.
    """

    __slots__ = ("_digest",)

    def __init__(self, digest: Callable[[bytes], str]) -> None:
        self._digest = digest

    def render(self, result: Result, *, limit: int, seal: Seal) -> Rendered:
        """The answer within the limit.

        Args:
            limit: bytes of UTF-8 for everything, pictures included.
            seal: makes the cursor a client sees from the state a tool gave.
        """
        images, left_out = _images(result, limit)
        room = limit - sum(len(image.data) for image in images)
        header = _within(safe_line(result.header), limit // HEADER_SHARE)
        notes = _notes(result, [*left_out], room // HEADER_SHARE * 2)
        if result.needs_person:
            notes.append("nothing was done yet: a person has to agree to this call")
        elif result.confirm:
            notes.append(f"nothing was done yet; to do it, repeat the call with confirm: {result.confirm}")
        parts = [part_of(block, self._digest) for block in result.blocks if not isinstance(block, Image)]
        room -= size_of(header) + size_of("\n".join(notes)) + 2
        layout = _Layout(parts, result.page, seal)
        text = "\n".join([line for line in (header, *layout.fill(room), *notes, layout.footer) if line])
        content: list[Mapping[str, object]] = [{"type": "text", "text": text}] if text or not images else []
        content.extend(_image_content(image) for image in images)
        return Rendered(content, size_of(text) + sum(len(image.data) for image in images), layout.shown)

    def render_error(self, error: ToolError, *, tool: str, target: str) -> Rendered:
        """One line of at most 1 kB: code, what, where, what to do, and whether another try makes sense."""
        advice = CODES[error.code].advice if error.code in CODES and error.kind != "fix" else ""
        where = safe_line(f"{tool} on {target}" if target else tool)
        marker = f"[wait {math.ceil(error.retry_after)}s]" if error.retry_after is not None else f"[{error.kind}]"
        end = "".join((f" · {where}" if where else "", f" · {advice}" if advice else "", f" {marker}"))
        start = safe_line(f"{error.code}: {error.text}")
        text = _within(start, ERROR_LIMIT - size_of(end)) + end
        return Rendered([{"type": "text", "text": text}], size_of(text))


class _Layout:
    """Fits the parts of one answer into a limit and knows the footer that goes with what is shown."""

    def __init__(self, parts: Sequence[Part], page: Page | None, seal: Seal) -> None:
        self._parts = parts
        self._page = page
        self._seal = seal
        self.shown = 0
        self.footer = ""

    def fill(self, limit: int) -> list[str]:
        """The shown parts, in order. Cuts further until the footer, whose length depends on the cut, fits too."""
        shown: list[str] = []
        room = limit
        for _ in range(8):
            shown = self._cut(room)
            self.footer = self._foot()
            size = sum(size_of(text) + 1 for text in shown) + size_of(self.footer)
            if size <= limit:
                break
            room = min(room - (size - limit), limit - size_of(self.footer) - len(shown))
        return shown

    def _cut(self, limit: int) -> list[str]:
        parts = self._parts[: max(1, limit // MIN_SHARE)]
        pooled = [part for part in parts if isinstance(part, TablePart)] if self._page is not None else []
        pool = {id(part) for part in pooled}
        single = [part for part in parts if id(part) not in pool]
        allowed = shares([*(part.size for part in single), sum(part.size for part in pooled)], limit)
        room = dict(zip(map(id, single), allowed, strict=False)) | _pages(pooled, allowed[-1])
        shown: list[str] = []
        self.shown = 0
        for part in parts:
            if not isinstance(part, TablePart):
                shown.append(part.show(room[id(part)]))
            elif id(part) in room:
                count = part.fitting(room[id(part)])
                self.shown += count
                shown.append(part.show(count, room[id(part)], announce=id(part) not in pool))
        if len(parts) < len(self._parts):
            shown.append(f"… cut: {len(parts)} of {len(self._parts)} parts shown")
        return shown

    def _foot(self) -> str:
        page = self._page
        if page is None:
            return ""
        state = page.resume(self.shown) if page.resume is not None else None
        tables = [part for part in self._parts if isinstance(part, TablePart)]
        facts = [f"shown {self.shown}" + _of_total(page, self.shown, ended=state is None)] if tables else []
        out_of_reach = page.resume is None and self.shown < max(page.total or 0, sum(part.rows for part in tables))
        if page.narrow and (state is not None or out_of_reach):
            facts.append(f"narrow with {safe_line(page.narrow)}")
        if state is not None:
            facts.append(f"cursor: {self._seal(state)}")
        return " · ".join(facts)


def _of_total(page: Page, shown: int, *, ended: bool) -> str:
    if page.total is None:
        return "" if ended else ", more follow"
    return f" of at least {max(page.total, shown)}" if page.at_least else f" of {page.total}"


def _pages(tables: Sequence[TablePart], limit: int) -> dict[int, int]:
    """Bytes for each table when rows are paged: once one table is cut, nothing of the later ones is shown."""
    room: dict[int, int] = {}
    for table in tables:
        room[id(table)] = limit
        if table.fitting(limit) < table.rows or table.size > limit:
            break
        limit -= table.size
    return room


def _images(result: Result, limit: int) -> tuple[list[Image], list[str]]:
    kept: list[Image] = []
    left_out: list[str] = []
    room = limit
    for block in result.blocks:
        if isinstance(block, Image):
            if len(block.data) <= room:
                kept.append(block)
                room -= len(block.data)
            else:
                left_out.append(f"a picture of {in_words(len(block.data))} is left out: the limit is {in_words(limit)}")
    return kept, left_out


def _image_content(image: Image) -> Mapping[str, object]:
    return {"type": "image", "data": base64.b64encode(image.data).decode("ascii"), "mimeType": image.mime_type}


def _notes(result: Result, extra: Sequence[str], limit: int) -> list[str]:
    """Footer lines before the count: notes, then each source that failed."""
    lines = [safe_line(note) for note in (*extra, *result.notes)]
    lines += [f"partial: {safe_line(failed)}" for failed in result.partial]
    kept: list[str] = []
    for at, line in enumerate(lines):
        short = _within(line, min(500, limit))
        if size_of(short) + 1 > limit:
            return [*kept, f"… and {len(lines) - at} more notes"]
        kept.append(short)
        limit -= size_of(short) + 1
    return kept


def _within(line: str, limit: int) -> str:
    return line if size_of(line) <= limit else head_within(line, limit - 3) + "…"
