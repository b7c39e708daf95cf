"""The security page names every promise that is kept, and tests that really prove it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.meta.tree import ROOT
from tests.promises import PROMISES

if TYPE_CHECKING:
    from tests.meta.proofs import Proof

_ROW = re.compile(r"^\| ([A-Z]\d+) \|.*\|([^|]*)\|$", re.MULTILINE)
_FILE = re.compile(r"`(tests/[^`]+)`")


@pytest.fixture(scope="module")
def rows() -> dict[str, list[str]]:
    """The files that the page names for each promise."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    return {number: _FILE.findall(where) for number, where in _ROW.findall(page)}


def test_every_promise_about_security_that_is_kept_is_on_the_page(rows: dict[str, list[str]]) -> None:
    kept = {row.id for row in PROMISES.values() if not row.pending and (row.id[0] == "S" or row.milestone == "trust")}
    assert kept - rows.keys() == set()
    assert rows.keys() - PROMISES.keys() == set()


def test_every_test_the_page_names_proves_its_promise(rows: dict[str, list[str]], proofs: list[Proof]) -> None:
    proven = {(proof.promise, proof.test.partition("::")[0]) for proof in proofs}
    named = {(number, file) for number, where in rows.items() for file in where}
    assert sorted(named - proven) == []
    assert [number for number, where in rows.items() if not where] == []
