"""A call that changes something is on record before it acts; without a record it does not act."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from cloud_native_mcp.audit.trail import AuditTrail
from tests.audit.trails import SlowDisk
from tests.pipeline.changes import CHANGES, untouched
from tests.promises import promise
from tests.server_fixtures import ALL_EFFECTS, Server, ledger_settings, lines_of, started

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_native_mcp.app import App


class Disk(SlowDisk):
    """A disk that tells when something is to be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reached = threading.Event()

    def append(self, lines: bytes, *, sync: bool) -> None:
        self.reached.set()
        super().append(lines, sync=sync)


async def test_a_write_waits_until_its_record_is_stored(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "audit.jsonl")

    def on_slow_disk(app: App) -> None:
        app.audit = AuditTrail(app.settings.audit, digest=app.keys.digest("audit"), sinks={"file": disk})
        disk.go.set()

    settings = ledger_settings(tmp_path, effects=ALL_EFFECTS)
    async with started(settings, prepare=on_slow_disk) as server:
        disk.go.clear()
        disk.reached.clear()
        call = asyncio.create_task(server.call("ledger_add", {"what": "a gift"}, request_id="w1"))
        assert await asyncio.to_thread(disk.reached.wait, 5)
        assert untouched(server.ledger)
        assert lines_of(server.audit) == []
        disk.go.set()
        answer = await call
        assert answer.code == ""
        assert len(server.ledger.books["main"].entries) == 4
    assert [(line["phase"], line["effect"]) for line in lines_of(server.audit)] == [
        ("begin", "write"),
        ("end", "write"),
    ]
    assert True in disk.synced


@promise("S1")
async def test_a_write_is_refused_while_the_audit_cannot_store_it_and_reads_go_on(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file where the folder should be", encoding="utf-8")
    audit = {"file": str(tmp_path / "occupied" / "audit.jsonl"), "deadline_s": 1}
    settings = ledger_settings(tmp_path, effects=ALL_EFFECTS, audit=audit)
    async with started(settings) as server:
        for tool, arguments in CHANGES:
            text, code = await _unrecorded(server, tool, arguments)
            assert code == "audit_unavailable"
            assert "nothing was done" in text
        assert untouched(server.ledger)
        _, code = await _unrecorded(server, "ledger_list", {})
        assert code == ""


async def test_a_read_leaves_one_record_and_a_refused_write_too(changing: Server) -> None:
    await changing.call("ledger_list", request_id="r1")
    await changing.call("ledger_add", {"what": 5}, request_id="w1")
    await changing.call("ledger_add", {"what": "x"}, request_id="w2")
    phases = [(line["request"], line["phase"]) for line in lines_of(changing.audit)]
    assert phases == [("r1", "end"), ("w1", "end"), ("w2", "begin"), ("w2", "end")]


async def _unrecorded(server: Server, tool: str, arguments: dict[str, object]) -> tuple[str, str]:
    """One call whose record nobody can read."""
    answer = await server.app.door.call(server.request(tool, arguments))
    return str(answer.content[0]["text"]), answer.code
