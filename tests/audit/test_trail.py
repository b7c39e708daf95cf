"""Writes are on record before they act; reads never wait; a sink that fails is noticed and recovers."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.audit import writer as writer_module
from cloud_native_mcp.errors import ToolError
from tests.audit.trails import Counts, SlowDisk, end_of, lines_in, requests_in, trail_at, write_of
from tests.promises import promise

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_write_is_in_the_file_when_begin_returns(tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit.jsonl"
    async with trail_at(path) as trail:
        await trail.begin(write_of(1))
        assert requests_in(path) == ["w1"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_reads_are_in_the_file_after_close_in_their_order(tmp_path: Path) -> None:
    path, counts = tmp_path / "audit.jsonl", Counts()
    async with trail_at(path, counts=counts) as trail:
        for number in range(500):
            await trail.end(end_of(number))
    assert requests_in(path) == [f"r{number}" for number in range(500)]
    assert counts == {"stored": 500}


async def test_writes_at_the_same_time_share_their_trips_to_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    disk = SlowDisk(path)
    async with trail_at(path, sink=disk) as trail:
        begins = [asyncio.create_task(trail.begin(write_of(number))) for number in range(50)]
        await asyncio.sleep(0)
        disk.go.set()
        await asyncio.gather(*begins)
    assert sorted(map(str, requests_in(path))) == sorted(f"w{number}" for number in range(50))
    assert len(disk.synced) < 10


@pytest.mark.parametrize(
    ("policy", "synced"), [("writes", [False, True]), ("always", [True, True]), ("never", [False, False])]
)
async def test_the_policy_says_when_records_are_forced_to_disk(tmp_path: Path, policy: str, synced: list[bool]) -> None:
    disk = SlowDisk(tmp_path / "audit.jsonl")
    disk.go.set()
    fsync = "always" if policy == "always" else "never" if policy == "never" else "writes"
    async with trail_at(disk.path, sink=disk, fsync=fsync) as trail:
        await trail.start()
        await trail.begin(write_of(1))
    assert disk.synced == synced


async def test_a_hung_disk_refuses_writes_in_time_and_lets_reads_go_on(tmp_path: Path) -> None:
    path, counts = tmp_path / "audit.jsonl", Counts()
    disk = SlowDisk(path)
    async with trail_at(path, counts=counts, sink=disk, deadline_s=0.05) as trail:
        with pytest.raises(ToolError) as refused:
            await trail.begin(write_of(1))
        assert refused.value.code == "audit_unavailable"
        await trail.end(end_of(1))
        disk.go.set()
    assert requests_in(path) == ["w1", "r1"]
    assert counts["refused"] == 1


@promise("S18")
async def test_a_sink_removed_at_run_time_refuses_writes_and_recovers_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, counts = tmp_path / "state", Counts()
    path = folder / "audit.jsonl"
    async with trail_at(path, counts=counts) as trail:
        await trail.begin(write_of(1))
        folder.rename(tmp_path / "moved")
        folder.write_text("a file where the folder was", encoding="utf-8")
        with pytest.raises(ToolError, match="audit_unavailable"):
            await trail.begin(write_of(2))
        await trail.end(end_of(3))
        folder.unlink()
        await trail.begin(write_of(4))
    assert requests_in(path) == ["w2", "r3", "w4"]
    assert requests_in(tmp_path / "moved" / "audit.jsonl") == ["w1"]
    assert counts == {"stored": 4, "refused": 1}
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == [
        "the audit's file cannot be written: File exists",
        "the audit's file is written again",
    ]


@promise("S18")
async def test_a_sink_that_cannot_be_opened_is_told_at_start_and_starts_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with trail_at(tmp_path) as trail:
        await trail.start()
        assert "the audit's file cannot be written" in caplog.text
        with pytest.raises(ToolError, match="audit_unavailable"):
            await trail.begin(write_of(1))
        await trail.end(end_of(1))


@promise("S18")
async def test_an_audit_that_is_off_warns_at_start_and_records_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "audit.jsonl"
    async with trail_at(path, enabled=False) as trail:
        await trail.start()
        await trail.begin(write_of(1))
        await trail.end(end_of(1))
    assert not path.exists()
    assert "the audit is off" in caplog.text


@promise("S18")
async def test_an_audit_that_is_not_required_never_stops_a_write(tmp_path: Path) -> None:
    async with trail_at(tmp_path, required=False) as trail:
        await trail.begin(write_of(1))


async def test_a_rotated_file_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with trail_at(path) as trail:
        await trail.begin(write_of(1))
        path.rename(tmp_path / "audit.jsonl.1")
        await trail.begin(write_of(2))
    assert requests_in(path) == ["w2"]
    assert requests_in(tmp_path / "audit.jsonl.1") == ["w1"]


async def test_a_line_left_unfinished_by_a_crash_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b'{"phase":"end","requ')
    async with trail_at(path) as trail:
        await trail.begin(write_of(1))
    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"phase":"end","requ'
    assert b'"request":"w1"' in whole


async def test_a_named_pipe_in_place_of_the_file_hangs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    os.mkfifo(path)
    async with trail_at(path) as trail:
        with pytest.raises(ToolError, match="audit_unavailable"):
            await trail.begin(write_of(1))


async def test_memory_stays_bounded_while_the_disk_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_PENDING", 5_000)
    counts = Counts()
    disk = SlowDisk(tmp_path / "audit.jsonl")
    async with trail_at(disk.path, counts=counts, sink=disk, deadline_s=5) as trail:
        await trail.end(end_of(0))
        for number in range(1, 1_000):
            await trail.end(end_of(number))
        with pytest.raises(ToolError, match="audit_unavailable"):
            await trail.begin(write_of(1))
        disk.go.set()
    stored = len(lines_in(disk.path))
    assert counts["lost"] + stored == 1_001
    assert 0 < stored < 100


async def test_a_cancelled_write_leaves_the_trail_working(tmp_path: Path) -> None:
    disk = SlowDisk(tmp_path / "audit.jsonl")
    async with trail_at(disk.path, sink=disk) as trail:
        begin = asyncio.create_task(trail.begin(write_of(1)))
        await asyncio.sleep(0)
        begin.cancel()
        await asyncio.wait([begin])
        assert begin.cancelled()
        disk.go.set()
        await trail.begin(write_of(2))
    assert requests_in(disk.path) == ["w1", "w2"]
