"""What commands write: answers on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence


def complain(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"{text}\n")


def say(text: str) -> None:
    """Text on standard output, with a line end."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def say_json(value: object) -> None:
    """A value as indented JSON on standard output."""
    say(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; as wide as the terminal, or as its content when the output is no terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
