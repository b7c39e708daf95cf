"""Links between the project's pages lead somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.meta.tree import ROOT, files, shown

if TYPE_CHECKING:
    from pathlib import Path

_LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


def broken(page: Path) -> list[str]:
    """Links of a page to files that do not exist."""
    targets = _LINK.findall(page.read_text(encoding="utf-8"))
    return [f"{shown(page)}: {target}" for target in targets if not (page.parent / target).exists()]


def test_no_link_is_broken() -> None:
    pages = [*ROOT.glob("*.md"), *files("docs", "src", suffix=".md")]
    assert [link for page in pages for link in broken(page)] == []
