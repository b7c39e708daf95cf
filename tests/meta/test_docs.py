"""The generated pages are up to date, and every setting, tool and endpoint is on one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.config.documented import settings
from tests.meta.tree import ROOT, shown
from tools.docs.coverage import Row, coverage
from tools.docs.pages import TOOLS, pages
from tools.lists import services

if TYPE_CHECKING:
    from pathlib import Path


def test_the_generated_pages_are_up_to_date() -> None:
    stale = [
        shown(file) for file, text in pages().items() if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "make docs writes them again"


def test_no_page_is_left_of_a_service_that_is_gone() -> None:
    assert {file.stem for file in TOOLS.glob("*.md")} == {service.spec.name for service in services()}


def test_every_setting_is_described() -> None:
    assert [setting.path for setting in settings() if not setting.description.strip()] == []


def test_every_setting_is_on_the_page() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [setting.path for setting in settings() if f"`{setting.path}`" not in page] == []


def test_every_service_explains_itself() -> None:
    folder = ROOT / "src" / "cloud_native_mcp" / "services"
    assert [s.spec.name for s in services() if not (folder / s.spec.name / "README.md").is_file()] == []


def test_every_service_has_coverage_rows() -> None:
    assert set(coverage()) == {service.spec.name for service in services()}


def test_a_coverage_row_is_proven_by_tests_exactly_when_it_says_so() -> None:
    wrong = [
        f"{name}: {row.want}"
        for name, rows in coverage().items()
        for row in rows
        if bool(row.tests) is not (row.against in {"real server", "contract server"})
    ]
    assert wrong == []


def test_every_test_named_by_a_coverage_row_exists() -> None:
    named = {test for rows in coverage().values() for row in rows for test in row.tests}
    missing = sorted(test for test in named if not exists(test))
    assert missing == []


def exists(test: str) -> bool:
    """Whether the file of a test id defines a function of that name."""
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.is_file() and name.rpartition("::")[2].partition("[")[0] in functions(path)


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_a_test_that_does_not_exist_is_noticed() -> None:
    assert exists("tests/meta/test_docs.py::test_every_setting_is_described")
    assert not exists("tests/meta/test_docs.py::test_nothing")
    assert not exists("tests/meta/test_nothing.py::test_every_setting_is_described")


def test_a_listed_tool_is_not_claimed_as_not_yet_by_all_its_rows() -> None:
    """A tool that works must show in the coverage what it answers."""
    claimed: dict[str, list[Row]] = {}
    for rows in coverage().values():
        for row in rows:
            claimed.setdefault(row.here.split(" ")[0].rstrip(",;:("), []).append(row)
    listed = [f"{service.spec.name}_{tool.name}" for service in services() for tool in service.tools]
    silent = [name for name in listed if name in claimed and all(row.against == "not yet" for row in claimed[name])]
    assert silent == []


@pytest.mark.parametrize("page", ["quickstart", "architecture", "testing"])
def test_the_page_is_there(page: str) -> None:
    assert (ROOT / "docs" / f"{page}.md").is_file()
