"""``docs/coverage.md``: what is asked of each service, and what proves the answer."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from tools.docs.markdown import generated, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DATA: Final = Path(__file__).resolve().parent.parent.parent / "tests" / "coverage"
INTRODUCTION: Final = """# Coverage

What other servers' tools and people's habits ask of each service, which tool answers it here, and against what the
answer is proven: a *real server* of the lab, or a *contract server* (see [testing](testing.md)) for what the lab cannot
serve. *Not yet* means what it says: planned, and neither listed nor claimed. *Left out* rows say why.
"""

Against = Literal["real server", "contract server", "not yet", "left out"]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing asked of a service; ``here`` is the tool that answers it, or why nothing does."""

    group: str
    want: str
    here: str
    against: Against
    tests: tuple[str, ...] = ()


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    row: tuple[Row, ...]


def coverage() -> Mapping[str, Sequence[Row]]:
    """The rows of every service, by its name."""
    return {file.stem: _rows(file) for file in sorted(DATA.glob("*.toml"))}


def coverage_page() -> str:
    """The whole page."""
    found = coverage()
    summary = table(("service", *_KINDS), ((name, *_counts(rows)) for name, rows in found.items()))
    sections = "".join(_section(name, rows) for name, rows in found.items())
    return generated("`tests/coverage/`") + INTRODUCTION + "\n" + summary + sections


_KINDS: Final[tuple[Against, ...]] = ("real server", "contract server", "not yet", "left out")


def _rows(file: Path) -> tuple[Row, ...]:
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _Data).row


def _counts(rows: Sequence[Row]) -> list[str]:
    counted = Counter(row.against for row in rows)
    return [str(counted[kind]) for kind in _KINDS]


def _section(name: str, rows: Sequence[Row]) -> str:
    text = f"\n## {name}\n"
    for group in dict.fromkeys(row.group for row in rows):
        lines = ((row.want, row.here, row.against, _tests(row)) for row in rows if row.group == group)
        text += f"\n### {name}: {group}\n\n" + table(("asked", "here", "proven against", "tests"), lines)
    return text


def _tests(row: Row) -> str:
    return ", ".join(f"`{test.rpartition('::')[2]}`" for test in row.tests)
