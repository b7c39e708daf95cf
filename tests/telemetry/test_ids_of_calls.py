"""The ids in the logs are those of the call being worked on, and a fault is not taken for a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.telemetry.logs import request_id, trace_id
from tests.server_fixtures import ledger_settings, started

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_ids_of_a_call_end_with_it(tmp_path: Path) -> None:
    """A tool that called another one logs under its own id afterwards."""
    async with started(ledger_settings(tmp_path)) as server:
        outer = request_id.set("outer")
        try:
            assert (await server.call("ledger_list")).code == ""
            assert (await server.call("ledger_fail", {"how": "fault"})).code == "internal"
            assert (request_id.get(), trace_id.get()) == ("outer", "")
        finally:
            request_id.reset(outer)


async def test_a_timeout_that_is_not_the_calls_own_is_a_fault(tmp_path: Path) -> None:
    async with started(ledger_settings(tmp_path)) as server:
        answer = await server.call("ledger_fail", {"how": "late"})
    assert (answer.code, answer.record["stage"]) == ("internal", "act")
    assert "not finished within" not in answer.text
