"""Files and functions stay short, and are called by their subject."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

import pytest

from tests.meta.tree import CODE, files, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILE: Final = 450
MAX_FUNCTION: Final = 60
NAMELESS: Final = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "base"})


def long_functions(source: str) -> Iterator[tuple[str, int]]:
    """Name and lines of the functions that are too long."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION:
                yield node.name, lines


def nameless(path: Path) -> bool:
    """Whether a folder or the file is called by no subject."""
    return not NAMELESS.isdisjoint(part.partition(".")[0].strip("_") for part in path.parts)


def test_no_file_is_too_long() -> None:
    lines = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(*CODE, suffix=".py")}
    assert {name: count for name, count in lines.items() if count > MAX_FILE} == {}


def test_no_function_is_too_long() -> None:
    found = [
        f"{shown(path)}: {name} has {lines} lines"
        for path in files(*CODE, suffix=".py")
        for name, lines in long_functions(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_file_is_called_by_its_subject() -> None:
    assert [shown(path) for path in files(*CODE) if nameless(path)] == []


@pytest.mark.parametrize(("lines", "found"), [(MAX_FUNCTION, []), (MAX_FUNCTION + 1, [("long", MAX_FUNCTION + 1)])])
def test_a_function_of_one_line_too_many_is_found(lines: int, found: list[tuple[str, int]]) -> None:
    source = "class A:\n    async def long():\n" + "        pass\n" * (lines - 1)
    assert list(long_functions(source)) == found
