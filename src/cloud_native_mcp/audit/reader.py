"""Reads the audit's database: calls one by one, and counted."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

import orjson

from cloud_native_mcp.audit.question import MOST
from cloud_native_mcp.errors import CnmcpError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cloud_native_mcp.audit.question import Question

PATIENCE_S: Final = 5.0
"""After so long a question is given up: it holds the database and a thread."""
MOST_NAMED: Final = 20
"""Names shown of each kind in the counts, the most frequent ones."""
COUNTED: Final = ("outcome", "effect", "service", "tool", "principal", "code")
_STEPS: Final = 10_000
_BUSY_S: Final = 1.0

# A call is known by its end; by its beginning only when there is no end.
_CALLS: Final = (
    "(phase = 'end' OR NOT EXISTS"
    " (SELECT 1 FROM audit_records AS ends WHERE ends.request = audit_records.request AND ends.phase = 'end'))"
)
_OUTCOME: Final = "CASE WHEN phase = 'begin' THEN 'unknown' ELSE outcome END"


class AuditUnreadable(CnmcpError):
    """The database cannot be asked, or not in time."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of records, newest first; ``cursor`` goes on after it, None at the end."""

    records: Sequence[Mapping[str, Any]]
    cursor: int | None


class AuditReader:
    """Asks a database that `database_sink.Database` writes. Every method blocks: call it in a thread.

    Every method raises `AuditUnreadable`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, question: Question) -> Found:
        """The calls that are meant, as their lines hold them; one without an end has the outcome ``unknown``."""
        where, values = _where(question)
        query = f"SELECT id, phase, record FROM audit_records WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
        rows = self._ask(query, [*values, question.limit + 1])
        shown = rows[: question.limit]
        records = [_record(phase, line) for _, phase, line in shown]
        return Found(records, int(shown[-1][0]) if len(rows) > question.limit else None)

    def count(self, question: Question) -> dict[str, Any]:
        """How many of the calls that are meant ended how, and of whom and what they were."""
        where, values = _where(question)
        counted: dict[str, Any] = {}
        for name in COUNTED:
            column = _OUTCOME if name == "outcome" else name
            query = (
                f"SELECT {column} AS named, COUNT(*) AS many FROM audit_records WHERE {where}"  # noqa: S608
                " GROUP BY named ORDER BY many DESC, named LIMIT ?"
            )
            counted[name] = {str(key): many for key, many in self._ask(query, [*values, MOST_NAMED]) if key}
        total = sum(counted["outcome"].values())
        failed = total - counted["outcome"].get("ok", 0)
        return {"total": total, "failure_rate": round(failed / total, 4) if total else 0.0, "by": counted}

    def last(self, most: int) -> list[tuple[int, str]]:
        """The newest records, oldest first: their numbers and lines."""
        rows = self._ask("SELECT id, record FROM audit_records ORDER BY id DESC LIMIT ?", [most])
        return [(number, line) for number, line in reversed(rows)]

    def after(self, number: int) -> list[tuple[int, str]]:
        """The records after that one, oldest first."""
        return self._ask("SELECT id, record FROM audit_records WHERE id > ? ORDER BY id LIMIT ?", [number, MOST])

    def _ask(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        until = time.monotonic() + PATIENCE_S
        try:
            address = f"file:{quote(str(self._path))}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_S)) as connection:
                connection.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
                return connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            slow = "interrupted" in str(error)
            raise AuditUnreadable("it takes too long; ask for a shorter time" if slow else str(error)) from error


def _where(question: Question) -> tuple[str, list[object]]:
    """The condition of a question; names are those of this program, values always parameters."""
    parts, values = [_CALLS], list[object]()
    for sign, bound in (("at >= ?", question.since), ("at < ?", question.until), ("id < ?", question.before)):
        if bound is not None:
            parts.append(sign)
            values.append(bound)
    for name, wanted in question.chosen.items():
        column = f"({_OUTCOME})" if name == "outcome" else name
        parts.append(f"({' OR '.join(f'{column} GLOB ?' for _ in wanted)})")
        values += [_pattern(one) for one in wanted]
    return " AND ".join(parts), values


def _pattern(text: str) -> str:
    """A text in which only ``*`` stands for others."""
    return text.replace("[", "[[]").replace("?", "[?]")


def _record(phase: str, line: str) -> Mapping[str, Any]:
    found = cast("dict[str, Any]", orjson.loads(line))
    return found | {"outcome": "unknown"} if phase == "begin" else found
