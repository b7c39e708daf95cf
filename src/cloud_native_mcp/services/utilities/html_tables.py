"""Tables of web pages as rows of Markdown."""

from __future__ import annotations

from typing import Final

_PARTS: Final = frozenset({"table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "colgroup", "col"})
_MOST_COLUMNS: Final = 60


class TableRows:
    """The rows of the outermost table that is being read; tables inside its cells are only text.

    Attributes:
        depth: how many tables are open.
        cell_open: whether a cell of the outermost one is.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.cell_open = False
        self._rows: list[list[str]] = []
        self._row: list[str] = []

    def start(self, name: str) -> bool:
        """Whether a start tag is part of a table; opens the table when it is one."""
        if name == "table":
            self.depth += 1
            return True
        return self.depth > 0 and name in _PARTS

    def end(self, name: str) -> bool:
        """Whether an end tag is part of an open table."""
        return self.depth > 0 and name in _PARTS

    def open_cell(self) -> None:
        """Begin a cell of the current row."""
        self.cell_open = True

    def add_cell(self, text: str) -> None:
        """End the open cell with its text."""
        self.cell_open = False
        if len(self._row) < _MOST_COLUMNS:
            self._row.append(text)

    def end_row(self) -> None:
        """End the current row, if it has cells."""
        if self._row:
            self._rows.append(self._row)
            self._row = []

    def close(self) -> None:
        """End the innermost open table."""
        self.depth = max(0, self.depth - 1)

    def finish(self, *, plain: bool) -> list[str]:
        """The blocks of the table: one, or each cell when it only lays out the page (a single row or column)."""
        self.end_row()
        rows = [row for row in self._rows if any(row)]
        self._rows = []
        if not rows:
            return []
        width = max(len(row) for row in rows)
        if len(rows) == 1 or width == 1:
            return [cell for row in rows for cell in row if cell]
        padded = [[*row, *[""] * (width - len(row))] for row in rows]
        if plain:
            return ["\n".join("\t".join(row) for row in padded)]
        lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in padded]
        return ["\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])]
