"""Writes tables: a line of column names and a line a row, cells separated by a tab.

A tab is one byte and mostly one token, cannot be confused with a space in a cell, and needs no padding; the
measurements are in ``docs/decisions``. Empty cells are ``-``; a newline in a cell is shown as ⏎ and a tab as a space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.response.clean import clean_line
from cloud_native_mcp.response.mask import scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.result import Cell

EMPTY: Final = "-"


def lines_of(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """The header line and a line for each row, cleaned and without credentials."""
    header = "\t".join([clean_line(column) or EMPTY for column in columns])
    lines = ["\t".join([cell if isinstance(cell, str) else _text(cell) for cell in row]) for row in rows]
    if not _all_plain(lines, len(columns)):
        lines = ["\t".join([_text(cell) for cell in row]) for row in rows]
    joined = "\n".join(lines)
    if scrub(joined) is not joined:
        lines = [scrub(line).replace("\n", " ") for line in lines]
    return [header, *lines]


def _all_plain(lines: Sequence[str], columns: int) -> bool:
    """Whether no cell needs rewriting: nothing but printable ASCII, no empty cell, no separator inside a cell."""
    joined = "\n".join(lines)
    if not joined.isascii() or not joined.replace("\t", "").replace("\n", "").isprintable():
        return False
    if joined.count("\t") != len(lines) * (columns - 1) or joined.count("\n") != len(lines) - 1:
        return False
    framed = f"\t{joined.replace(chr(10), chr(9))}\t"
    return "\t\t" not in framed


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return clean_line(cell) or EMPTY
    if cell is None:
        return EMPTY
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return repr(cell).removesuffix(".0")
    return str(cell)
