"""What a clone holds: nothing of the machine it was written on, and a version that agrees with the changelog."""

from __future__ import annotations

import re
from typing import Final

import pytest

from cloud_native_mcp import __version__
from tests.meta.tree import ROOT, files, shown

_CI = ".ci/run"
# Each written so that this file does not match itself.
FOREIGN: Final = {
    "a folder beside the clone": re.compile(r"\.\./share[d]\b"),
    "a package index": re.compile(r"pypi\.or[g]|pythonhosted\.or[g]|npmjs\.(?:or[g]|com)|proxy\.golang\.or[g]"),
    "a folder of some machine": re.compile(r"(?<![\w./~$}-])/(?:wor[k]|roo[t]|home/[a-z]+|User[s]/[a-z]+)/[\w.]"),
}
ALLOWED: Final = frozenset({(_CI, "a folder beside the clone")})


def foreign_words(name: str, text: str) -> list[str]:
    """What a file should not say."""
    return [what for what, pattern in FOREIGN.items() if (name, what) not in ALLOWED and pattern.search(text)]


def test_the_project_names_nothing_outside_itself() -> None:
    found: list[str] = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found.extend(f"{shown(path)}: {what}" for what in foreign_words(shown(path), text))
    assert found == []


@pytest.mark.parametrize(
    "text", ["cd ../share" + "d/x", "https://pypi.or" + "g/simple", "see /wor" + "k/x", "/roo" + "t/x"]
)
def test_a_foreign_word_is_found(text: str) -> None:
    assert foreign_words("README.md", text)


def test_the_version_is_the_top_entry_of_the_changelog() -> None:
    entries = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert entries[0] == __version__


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_locked_requirements_have_hashes_and_no_address() -> None:
    for name in ("runtime", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        pins = re.findall(r"^([a-z0-9._-]+)==\S+(.*)\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)*)", text, re.MULTILINE)
        assert pins
        assert [pin[0] for pin in pins if not pin[2]] == []
        assert "://" not in text
