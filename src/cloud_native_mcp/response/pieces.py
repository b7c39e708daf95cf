"""Long texts in pieces, each within a number of bytes."""

from __future__ import annotations

from dataclasses import dataclass

from cloud_native_mcp.response.parts import safe_text
from cloud_native_mcp.response.size import size_of


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text and where the next one begins (None at the end)."""

    text: str
    next: int | None


def piece(text: str, start: int, max_bytes: int) -> Piece:
    """The part of a text from a character on that takes at most so many bytes once it is made safe to show.

    It ends at the end of a line where one lies in its second half.
    """
    end = min(len(text), start + max_bytes)
    while (size := size_of(safe_text(text[start:end]))) > max_bytes and end - start > 1:
        end = start + max(1, min(end - start - 1, (end - start) * max_bytes // size))
    if end < len(text):
        line_end = text.rfind("\n", start + (end - start) // 2, end)
        end = line_end + 1 if line_end > 0 else end
    return Piece(text[start:end], end if end < len(text) else None)
