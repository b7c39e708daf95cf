"""Audit trails on real files, and sinks that a test holds back."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import orjson

from cloud_native_mcp.audit.config import AuditConfig
from cloud_native_mcp.audit.file_sink import LineFile
from cloud_native_mcp.audit.record import AuditRecord
from cloud_native_mcp.audit.trail import AuditTrail
from tests.response.rendering import digest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from cloud_native_mcp.audit.config import FsyncPolicy
    from cloud_native_mcp.audit.sink import Sink


class Counts(dict[str, int]):
    """How often the trail told each outcome."""

    def __call__(self, sink: str, outcome: str, records: int) -> None:
        del sink
        self[outcome] = self.get(outcome, 0) + records


class SlowDisk(LineFile):
    """A file whose writes wait until the test lets them go, as those of a hung disk do."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.go = threading.Event()
        self.synced: list[bool] = []

    def append(self, lines: bytes, *, sync: bool) -> None:
        self.go.wait(10)
        self.synced.append(sync)
        super().append(lines, sync=sync)


@asynccontextmanager
async def trail_at(
    path: Path,
    *,
    counts: Counts | None = None,
    sink: Sink | None = None,
    required: bool = True,
    enabled: bool = True,
    fsync: FsyncPolicy = "writes",
    deadline_s: float = 2.0,
) -> AsyncGenerator[AuditTrail]:
    """A trail that writes to the path and is closed in the end."""
    config = AuditConfig(file=path, required=required, enabled=enabled, fsync=fsync, deadline_s=deadline_s)
    trail = AuditTrail(config, digest=digest, observe=counts, sinks={"file": sink} if sink else None)
    try:
        yield trail
    finally:
        await trail.close()


def write_of(number: int) -> AuditRecord:
    return AuditRecord(phase="begin", request_id=f"w{number}", tool="ledger_add", effect="write")


def end_of(number: int) -> AuditRecord:
    return AuditRecord(phase="end", request_id=f"r{number}", tool="ledger_list", effect="read", outcome="ok")


def lines_in(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def requests_in(path: Path) -> list[object]:
    return [line["request"] for line in lines_in(path)]
