"""The places records go to: a database, a file that is put aside in time, standard output, and several at once."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import orjson
import pytest

from cloud_native_mcp.audit.config import AuditConfig
from cloud_native_mcp.audit.database_sink import Database
from cloud_native_mcp.audit.file_sink import LineFile
from cloud_native_mcp.audit.record import AuditRecord
from cloud_native_mcp.audit.sink import AppendFailed
from cloud_native_mcp.audit.trail import AuditTrail
from cloud_native_mcp.errors import ToolError
from tests.audit.trails import Counts
from tests.promises import promise
from tests.response.rendering import digest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from cloud_native_mcp.audit.sink import Sink

WRITE = AuditRecord(
    phase="begin", request_id="r1", principal="ann", service="ledger", tool="ledger_add", effect="write"
)


def read(number: int = 1, outcome: str = "ok") -> AuditRecord:
    return AuditRecord(
        phase="end", request_id=f"r{number}", principal="ann", tool="ledger_list", effect="read", outcome=outcome
    )


@asynccontextmanager
async def trail(config: AuditConfig, sinks: Mapping[str, Sink] | None = None) -> AsyncGenerator[AuditTrail]:
    made = AuditTrail(config, digest=digest, sinks=sinks)
    try:
        yield made
    finally:
        await made.close()


def rows(database: Path, query: str = "SELECT record FROM audit_records ORDER BY id") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


class Stuck:
    """A sink that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.taken: list[bytes] = []

    def append(self, lines: bytes, *, sync: bool) -> None:
        del sync
        self.go.wait(10)
        self.taken.append(lines)

    def close(self) -> None:
        self.go.set()


class Broken:
    """A sink that fails until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.taken: list[bytes] = []

    def append(self, lines: bytes, *, sync: bool) -> None:
        del sync
        if not self.mended:
            raise AppendFailed(OSError(28, "No space left on device"))
        self.taken.append(lines)

    def close(self) -> None:
        """Holds nothing."""


def test_without_a_word_records_go_to_a_database() -> None:
    assert str(AuditConfig().database_path).endswith("/.local/state/cloud-native-mcp/audit.db")
    assert AuditConfig.model_validate({"file": "a.jsonl"}).database_path is None
    assert AuditConfig(stdout=True).database_path is None
    both = AuditConfig.model_validate({"file": "a.jsonl", "database": "a.db"})
    assert str(both.database_path) == "a.db"


async def test_a_database_and_a_file_hold_the_same_records(tmp_path: Path) -> None:
    config = AuditConfig(database=tmp_path / "state" / "audit.db", file=tmp_path / "audit.jsonl")
    async with trail(config) as audit:
        await audit.begin(WRITE)
        for number in range(50):
            await audit.end(read(number))
    lines = (tmp_path / "audit.jsonl").read_text(encoding="ascii").splitlines()
    assert [row[0] for row in rows(tmp_path / "state" / "audit.db")] == lines
    assert len(lines) == 51
    found = rows(tmp_path / "state" / "audit.db", "SELECT phase, request, principal, tool, effect FROM audit_records")
    assert found[0] == ("begin", "r1", "ann", "ledger_add", "write")
    assert stat.S_IMODE((tmp_path / "state" / "audit.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@promise("F24")
async def test_one_place_that_has_the_record_is_enough(tmp_path: Path) -> None:
    stuck, broken = Stuck(), Broken()
    config = AuditConfig(file=tmp_path / "audit.jsonl", deadline_s=5)
    sinks: dict[str, Sink] = {"stuck": stuck, "broken": broken, "file": LineFile(tmp_path / "audit.jsonl")}
    async with trail(config, sinks) as audit:
        async with asyncio.timeout(4):
            await audit.begin(WRITE)
        assert {one.name: one.failing for one in audit.health} == {"stuck": False, "broken": True, "file": False}
        assert not audit.failing
        stuck.go.set()


@promise("F24")
async def test_without_any_place_a_write_is_refused_reads_go_on_and_it_recovers_by_itself() -> None:
    stuck, broken = Stuck(), Broken()
    async with trail(AuditConfig(deadline_s=0.2), {"stuck": stuck, "broken": broken}) as audit:
        with pytest.raises(ToolError) as refused:
            await audit.begin(WRITE)
        assert refused.value.code == "audit_unavailable"
        await audit.end(read())
        broken.mended = True
        stuck.go.set()
        async with asyncio.timeout(5):
            while any(one.pending or one.failing for one in audit.health):  # noqa: ASYNC110 - no one tells
                await asyncio.sleep(0.01)
        await audit.begin(WRITE)
    assert b"".join(broken.taken).count(b"\n") == 3
    assert b"".join(stuck.taken).count(b"\n") == 3


@promise("F24")
async def test_a_full_disk_refuses_writes_and_is_seen(tmp_path: Path) -> None:
    async with trail(AuditConfig(deadline_s=1.0), {"file": Full(tmp_path / "audit.jsonl")}) as audit:
        with pytest.raises(ToolError):
            await audit.begin(WRITE)
        assert audit.failing


class Full(LineFile):
    """A file on a disk without room: the device that says so of every write."""

    def _reopen(self) -> None:
        if self._descriptor < 0:
            self._descriptor = os.open("/dev/full", os.O_WRONLY)


@promise("F24")
def test_a_database_that_cannot_be_written_fails_and_is_opened_anew(tmp_path: Path) -> None:
    folder = tmp_path / "audit.db"
    folder.mkdir()
    database = Database(folder)
    line = b'{"time":"2026-01-01T00:00:00.000Z","phase":"end","request":"r1"}\n'
    with pytest.raises(AppendFailed):
        database.append(line, sync=True)
    folder.rmdir()
    database.append(line, sync=True)
    for file in tmp_path.glob("audit.db*"):
        file.unlink()
    database.append(line, sync=False)
    database.close()
    assert len(rows(tmp_path / "audit.db")) == 1


def test_a_database_locked_by_another_fails_in_time_and_goes_on_after(tmp_path: Path) -> None:
    database = Database(tmp_path / "audit.db")
    line = b'{"time":"2026-01-01T00:00:00.000Z","phase":"end"}\n'
    database.append(line, sync=True)
    with closing(sqlite3.connect(tmp_path / "audit.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(AppendFailed, match="locked"):
            database.append(line, sync=True)
        other.execute("COMMIT")
    database.append(line, sync=True)
    database.close()
    assert len(rows(tmp_path / "audit.db")) == 2


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "audit.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
    with pytest.raises(AppendFailed, match="newer version"):
        Database(tmp_path / "audit.db").append(b'{"time":"2026-01-01T00:00:00Z"}\n', sync=False)


def test_old_records_leave_the_database(tmp_path: Path) -> None:
    now = 1_800_000_000.0
    database = Database(tmp_path / "audit.db", keep_days=30, clock=lambda: now)
    old, young = ("2026-11-01T00:00:00.000Z", "2027-01-14T00:00:00.000Z")
    database.append(b"".join(b'{"time":"%s","phase":"end"}\n' % one.encode() for one in (old, young)), sync=False)
    database.close()
    assert [orjson.loads(str(row[0]))["time"] for row in rows(tmp_path / "audit.db")] == [young]


def test_a_file_that_grew_large_is_put_aside(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "audit.jsonl", max_bytes=100, keep=2)
    for number in range(8):
        file.append(b"%d" % number * 49 + b"\n", sync=False)
    file.close()
    left = {one.name: one.read_bytes()[:1] for one in tmp_path.iterdir()}
    assert left == {"audit.jsonl": b"6", "audit.jsonl.1": b"4", "audit.jsonl.2": b"2"}


def test_standard_output_is_written_line_by_line() -> None:
    program = (
        "from cloud_native_mcp.audit.file_sink import StandardOutput\n"
        "StandardOutput().append(b'one\\ntwo\\n', sync=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=30)
    assert done.stdout == b"one\ntwo\n"


@pytest.mark.parametrize("rate", [0.0, 0.25])
async def test_of_reads_that_succeeded_a_part_is_recorded_and_says_so(tmp_path: Path, rate: float) -> None:
    config = AuditConfig(file=tmp_path / "audit.jsonl", sample_reads=rate)
    async with trail(config) as audit:
        for number in range(1_000):
            await audit.end(read(number))
        await audit.end(read(5_000, outcome="failed"))
        await audit.end(read(5_001, outcome="refused"))
        await audit.begin(WRITE)
    lines = [orjson.loads(line) for line in (tmp_path / "audit.jsonl").read_bytes().splitlines()]
    sampled = [line for line in lines if line.get("outcome") == "ok"]
    assert len(lines) == len(sampled) + 3
    assert abs(len(sampled) - 1_000 * rate) <= 60
    assert all(line["sample"] == rate for line in sampled)


@promise("F24")
async def test_a_place_that_hangs_is_seen_and_what_it_holds_is_counted_as_lost_at_the_end() -> None:
    stuck, counts = Stuck(), Counts()
    audit = AuditTrail(AuditConfig(deadline_s=0.1), digest=digest, observe=counts, sinks={"stuck": stuck})
    with pytest.raises(ToolError):
        await audit.begin(WRITE)
    (health,) = audit.health
    assert health.failing
    assert health.pending > 0
    assert audit.failing
    await audit.close()
    assert counts == {"refused": 1, "lost": 1}
    stuck.go.set()


class Faulty(Broken):
    """A sink with a mistake in it."""

    def append(self, lines: bytes, *, sync: bool) -> None:
        if not self.mended:
            raise ValueError("a mistake")
        super().append(lines, sync=sync)


async def test_a_fault_of_a_sink_is_a_failure_that_it_recovers_from() -> None:
    faulty = Faulty()
    async with trail(AuditConfig(deadline_s=1.0), {"faulty": faulty}) as audit:
        with pytest.raises(ToolError):
            await audit.begin(WRITE)
        assert audit.failing
        faulty.mended = True
        await audit.begin(WRITE)
    assert b"".join(faulty.taken).count(b"\n") == 2


def test_lines_that_could_not_be_forced_to_the_disk_are_not_taken_for_stored(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "audit.jsonl")
    file.append(b"one\n", sync=True)
    reader, writer = os.pipe()
    file._descriptor, kept = writer, file._descriptor  # a pipe takes the line, and cannot be forced
    os.close(kept)
    with pytest.raises(AppendFailed) as failed:
        file.append(b"two\n", sync=True)
    os.close(reader)
    assert failed.value.written == 0
    file.append(b"two\n", sync=True)
    file.close()
    assert (tmp_path / "audit.jsonl").read_bytes() == b"one\ntwo\n"
