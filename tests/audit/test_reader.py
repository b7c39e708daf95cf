"""Questions about the audit: which calls, how many, and where to go on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_native_mcp.audit.database_sink import Database
from cloud_native_mcp.audit.question import Question, question_of
from cloud_native_mcp.audit.reader import AuditReader, AuditUnreadable
from cloud_native_mcp.audit.record import AuditRecord, line_of
from cloud_native_mcp.errors import ConfigError
from tests.response.rendering import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOON = 1_800_000_000.0


def record(number: int, **changes: Any) -> AuditRecord:
    usual: dict[str, Any] = {
        "phase": "end",
        "request_id": f"r{number}",
        "principal": "ann",
        "service": "kubernetes",
        "tool": "kubernetes_list",
        "effect": "read",
        "outcome": "ok",
        "at": NOON + number,
    }
    return AuditRecord(**usual | changes)


def keep(path: Path, records: Sequence[AuditRecord]) -> AuditReader:
    database = Database(path)
    database.append(b"".join(line_of(one, digest=digest, max_argument_bytes=1_000) for one in records), sync=False)
    database.close()
    return AuditReader(path)


def requests(reader: AuditReader, **given: str) -> list[str]:
    return [
        str(one["request"])
        for one in reader.find(question_of({name.rstrip("_"): v for name, v in given.items()})).records
    ]


@pytest.fixture
def reader(tmp_path: Path) -> AuditReader:
    return keep(
        tmp_path / "audit.db",
        [
            record(1),
            record(2, principal="bob", outcome="failed", code="timeout"),
            record(3, phase="begin", tool="kubernetes_delete", effect="destroy", outcome=""),
            record(3, tool="kubernetes_delete", effect="destroy"),
            record(4, phase="begin", tool="helm_deploy", service="helm", effect="write", outcome=""),
            record(5, outcome="refused", code="denied_by_policy", stage="authorise"),
        ],
    )


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["r5", "r4", "r3", "r2", "r1"]),
        ({"principal": "bob"}, ["r2"]),
        ({"tool": "kubernetes_*"}, ["r5", "r3", "r2", "r1"]),
        ({"outcome": "failed,refused"}, ["r5", "r2"]),
        ({"outcome": "unknown"}, ["r4"]),
        ({"effect": "write,destroy"}, ["r4", "r3"]),
        ({"service": "helm"}, ["r4"]),
        ({"code": "denied_by_policy", "stage": "authorise"}, ["r5"]),
        ({"request": "r3"}, ["r3"]),
        ({"principal": "nobody"}, []),
        ({"principal": "a?n"}, []),
        ({"principal": "[a]nn"}, []),
        ({"principal": "x' OR '1'='1"}, []),
        ({"tool": "*;DROP TABLE audit_records"}, []),
        ({"from_": str(NOON + 2), "to": str(NOON + 4)}, ["r3", "r2"]),
        ({"limit": "2"}, ["r5", "r4"]),
    ],
)
def test_calls_are_found_by_what_they_were(reader: AuditReader, asked: dict[str, str], found: list[str]) -> None:
    assert requests(reader, **asked) == found


def test_a_call_that_never_ended_says_so(reader: AuditReader) -> None:
    (one,) = reader.find(question_of({"request": "r4"})).records
    assert (one["phase"], one["outcome"]) == ("begin", "unknown")


def test_calls_are_counted_once_each(reader: AuditReader) -> None:
    counted = reader.count(Question())
    assert counted["total"] == 5
    assert counted["failure_rate"] == 0.6
    assert counted["by"]["outcome"] == {"ok": 2, "failed": 1, "refused": 1, "unknown": 1}
    assert counted["by"]["effect"] == {"read": 3, "destroy": 1, "write": 1}
    assert counted["by"]["code"] == {"denied_by_policy": 1, "timeout": 1}


@settings(max_examples=25, deadline=None)
@given(limit=st.integers(1, 7), wanted=st.sampled_from(["ann", "bob", "*"]), late=st.integers(0, 5))
def test_pages_hold_each_record_once_while_new_ones_arrive(
    tmp_path_factory: pytest.TempPathFactory, limit: int, wanted: str, late: int
) -> None:
    path = tmp_path_factory.mktemp("audit") / "audit.db"
    there = [record(n, principal="ann" if n % 3 else "bob") for n in range(30)]
    reader = keep(path, there)
    seen, cursor = list[str](), ""
    while True:
        page = reader.find(question_of({"principal": wanted, "limit": str(limit), "cursor": cursor}))
        seen += [str(one["request"]) for one in page.records]
        if late:
            keep(path, [record(1_000 + late, principal="ann")])
        if page.cursor is None:
            break
        cursor = str(page.cursor)
    expected = [one.request_id for one in reversed(there) if wanted in ("*", one.principal)]
    assert [one for one in seen if not one.startswith("r100")] == expected


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"tol": "x"}, ["tol: is not known; did you mean tool?"]),
        ({"limit": "0"}, ["limit: must be a whole number from 1 to 1000"]),
        ({"limit": "many", "cursor": "-1"}, ["limit: must", "cursor: must"]),
        ({"from": "yesterday-ish"}, ["from: "]),
        ({"from": "now", "to": "now-1h"}, ["from: must lie before to"]),
        ({"outcome": "good"}, ["outcome: 'good' is none; there are ok, failed"]),
    ],
)
def test_a_wrong_question_names_every_mistake(given_: dict[str, str], told: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        question_of(given_)
    text = str(refused.value)
    assert all(one in text for one in told)
    assert len(refused.value.problems) == len(told)


def test_a_database_that_is_not_there_or_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(AuditUnreadable):
        AuditReader(tmp_path / "missing.db").find(Question())
    (tmp_path / "text.db").write_text("no database " * 100, encoding="utf-8")
    with pytest.raises(AuditUnreadable, match="not a database"):
        AuditReader(tmp_path / "text.db").count(Question())


def test_reading_changes_nothing(tmp_path: Path, reader: AuditReader) -> None:
    reader.find(Question())
    with closing(sqlite3.connect(tmp_path / "audit.db")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM audit_records").fetchone() == (6,)
