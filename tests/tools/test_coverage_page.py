"""The coverage page says of each row what proves it."""

from __future__ import annotations

from tools.docs.coverage import coverage, coverage_page
from tools.docs.markdown import table


def test_every_row_is_on_the_page() -> None:
    lines = coverage_page().splitlines()
    rows = [row for rows in coverage().values() for row in rows]
    assert sum(line.endswith(" |") and line.count(" | ") >= 3 for line in lines) >= len(rows)


def test_a_bar_in_a_cell_does_not_split_it() -> None:
    assert table(("a",), [("x | y\nz",)]) == "| a |\n|---|\n| x \\| y z |\n"


def test_an_empty_table_says_so() -> None:
    assert table(("a",), []) == "None.\n"
