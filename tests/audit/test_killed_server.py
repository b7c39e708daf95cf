"""A server that is killed in mid-work: whatever change reached the backend has its record."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 20
CALLERS = 8

# The server's inside: the trail over its places, and a "backend" that notes each change it is asked for at once.
PROGRAM = """
import asyncio, os, pathlib, sys, uuid
from cloud_native_mcp.audit.config import AuditConfig
from cloud_native_mcp.audit.record import AuditRecord
from cloud_native_mcp.audit.trail import AuditTrail

folder = pathlib.Path(sys.argv[1])
config = AuditConfig(database=folder / "audit.db", file=folder / "audit.jsonl")
backend = os.open(folder / "backend.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

async def caller(trail):
    while True:
        request = uuid.uuid4().hex
        record = dict(request_id=request, principal="ann", tool="ledger_add", effect="write")
        await trail.begin(AuditRecord(phase="begin", **record))
        os.write(backend, request.encode() + b"\\n")
        await asyncio.sleep(0)
        await trail.end(AuditRecord(phase="end", outcome="ok", **record))

async def main():
    trail = AuditTrail(config, digest=lambda raw: "0")
    await trail.start()
    print("ready", flush=True)
    await asyncio.gather(*(caller(trail) for _ in range(int(sys.argv[2]))))

asyncio.run(main())
"""


async def kill_one(folder: Path, seconds: float) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(folder), str(CALLERS), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"ready\n"
        await asyncio.sleep(seconds)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


@promise("F24")
@pytest.mark.timeout(120)
async def test_every_change_that_reached_the_backend_is_on_record_after_each_kill(tmp_path: Path) -> None:
    moments = random.Random(7)
    reached = 0
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        await kill_one(folder, moments.uniform(0.005, 0.3))
        changes = set((folder / "backend.log").read_text("ascii").split())
        with closing(sqlite3.connect(folder / "audit.db")) as connection:
            kept = {row[0] for row in connection.execute("SELECT request FROM audit_records WHERE phase = 'begin'")}
        in_file = set[str]()
        for line in (folder / "audit.jsonl").read_bytes().splitlines():
            with suppress(orjson.JSONDecodeError):  # the line it was killed at
                in_file.add(str(orjson.loads(line)["request"]))
        assert changes <= kept | in_file
        reached += len(changes)
    assert reached > KILLS
