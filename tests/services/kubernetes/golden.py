"""Golden answers: the whole text of an answer on the seeded scene, without what differs from lab to lab.

``GOLDEN=write python -m pytest tests/services/kubernetes/test_golden.py`` writes them again after an intended change.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "kubernetes"
_AGE = r"(?:\d+[ydhms]){1,2}"
_AGE_COLUMNS = frozenset({"AGE", "SINCE", "LAST", "FIRST", "LASTSEEN"})
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)"), "<time>"),
    (re.compile(r'uid: "([0-9a-f-]{36})"'), r"uid: \1"),  # quoted when YAML could read it as a number
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(rf"-[{_SAFE}]{{8,10}}-[{_SAFE}]{{5}}(?![a-z0-9])"), "-<hash>-<id>"),
    (re.compile(rf"-[{_SAFE}]{{8,10}}\b"), "-<hash>"),
    (
        re.compile(rf"\b(kube-api-access|agent|import-orders|statements-manual|EndpointSlice/web)-[{_SAFE}]{{5}}\b"),
        r"\1-<id>",
    ),
    (re.compile(r"\b10\.\d+\.\d+\.\d+\b(?!:443)"), "<ip>"),
    (re.compile(rf"\b{_AGE} ago"), "<age> ago"),
    (re.compile(rf"\b(since|age:) {_AGE}\b"), r"\1 <age>"),
    (re.compile(r"used: requests\.memory=\w+"), "used: <used>"),  # by what still ran when it was refused
    (re.compile(r"\bzone=lab-\d"), "zone=<zone>"),
    (re.compile(r'(resourceVersion"?): "\d+"'), r'\1: "<version>"'),
)
_TREE_AGE = re.compile(rf"(?m)^([ >~]*[A-Z]\w+/\S+.*?)  {_AGE}(?=$|  )")


def check_golden(name: str, text: str) -> None:
    """The answer equals the golden one of that name."""
    path = FOLDER / f"{name}.txt"
    found = normal(text)
    if os.environ.get("GOLDEN") == "write":
        path.write_text(found, encoding="utf-8")
        pytest.fail(f"{path.name} was written; run again without GOLDEN=write")
    assert found == path.read_text(encoding="utf-8"), "after an intended change, write the golden answers again"


def normal(text: str) -> str:
    """The answer without ages, times, uids, generated names and addresses."""
    text = "\n".join(_ages_out(text.splitlines())) + "\n"
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return _TREE_AGE.sub(r"\1  <age>", text)


def _ages_out(lines: list[str]) -> list[str]:
    """The lines, with the cells of columns that hold ages replaced."""
    columns: list[str] = []
    kept: list[str] = []
    for line in lines:
        cells = line.split("\t")
        if len(cells) > 1 and all(cell == cell.upper() for cell in cells) and not re.search(r"\d", line):
            columns = cells
        elif len(cells) == len(columns):
            cells = ["<age>" if name in _AGE_COLUMNS else cell for name, cell in zip(columns, cells, strict=True)]
        kept.append("\t".join(cells))
    return kept
