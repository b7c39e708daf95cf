"""Writes the generated pages of ``docs/`` from the settings, the tools and the coverage data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.docs.coverage import coverage_page
from tools.docs.settings import configuration_page
from tools.docs.tools import tool_page
from tools.lists import services

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parent.parent.parent
TOOLS: Final = ROOT / "docs" / "tools"


def pages() -> Mapping[Path, str]:
    """Every generated page and what it must hold."""
    found = {
        ROOT / "docs" / "configuration.md": configuration_page(),
        ROOT / "docs" / "coverage.md": coverage_page(),
    }
    for service in services():
        found[TOOLS / f"{service.spec.name}.md"] = tool_page(service)
    return found


def write() -> None:
    """Write all pages, and remove those of services that are no more."""
    wanted = pages()
    TOOLS.mkdir(parents=True, exist_ok=True)
    for file in TOOLS.glob("*.md"):
        if file not in wanted:
            file.unlink()
    for file, text in wanted.items():
        file.write_text(text, encoding="utf-8")
        print(file.relative_to(ROOT))
