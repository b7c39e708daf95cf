"""Every call has one deadline and one seat; calls made by a tool share both with it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast

import pytest

from cloud_native_mcp.routing.config import CallsConfig
from cloud_native_mcp.stages import GRACE_S
from tests.server_fixtures import Server, ledger_settings, started

if TYPE_CHECKING:
    from pathlib import Path

SOON = 0.05


async def test_a_call_that_does_not_end_is_refused_at_its_deadline(tmp_path: Path) -> None:
    """Whatever backend it waits for: the deadline is the server's."""
    async with started(ledger_settings(tmp_path, calls={"slow_timeout_s": SOON})) as server:
        answer = await server.call("ledger_slow")
        assert (answer.code, answer.record["stage"], answer.record["outcome"]) == ("timeout", "act", "failed")
        assert f"not finished within {SOON:g} s" in answer.text
        assert server.ledger.cancelled == 1
        assert (await server.call("ledger_list")).code == ""


@pytest.mark.parametrize(
    ("tool", "arguments", "seconds"),
    [
        ("ledger_hurried", {}, 100),
        ("ledger_steady", {}, 200),
        ("ledger_patient", {"seconds": 50}, 50 + GRACE_S),
        ("ledger_patient", {}, GRACE_S),
        ("ledger_patient", {"seconds": 100_000}, 300),
    ],
)
async def test_how_long_a_call_may_take_follows_from_the_class_of_its_tool(
    tmp_path: Path, tool: str, arguments: dict[str, object], seconds: float
) -> None:
    calls = {"quick_timeout_s": 100, "slow_timeout_s": 200, "max_timeout_s": 300}
    async with started(ledger_settings(tmp_path, calls=calls)) as server:
        before = time.monotonic()
        answer = await server.call(tool, arguments)
        after = time.monotonic()
    deadline = cast("float", answer.facts["deadline"])
    assert before + seconds <= deadline <= after + seconds


async def test_a_call_made_by_a_tool_has_its_deadline_and_is_audited_as_its_child(tmp_path: Path) -> None:
    calls = {"quick_timeout_s": 20, "slow_timeout_s": 500}
    async with started(ledger_settings(tmp_path, calls=calls)) as server:
        answer = await server.call("ledger_relay", {"tool": "ledger_steady"})
        inner = cast("dict[str, object]", answer.facts["inner"])
        assert inner["deadline"] == answer.facts["deadline"]
        child = (await server.stored(lambda line: line["tool"] == "ledger_steady"))[0]
    assert child["parent"] == answer.record["request"]
    assert child["request"] != answer.record["request"]
    assert (child["principal"], child["door"], child["outcome"]) == ("local", "cli", "ok")
    assert "parent" not in answer.record


async def test_a_call_made_by_a_tool_ends_with_the_deadline_of_that_tool(tmp_path: Path) -> None:
    async with started(ledger_settings(tmp_path, calls={"quick_timeout_s": SOON, "slow_timeout_s": 500})) as server:
        answer = await server.call("ledger_relay", {"tool": "ledger_slow"})
        assert answer.code == "timeout"
        assert server.ledger.cancelled == 1


async def test_a_call_made_by_a_tool_rides_on_the_seat_of_that_tool(tmp_path: Path) -> None:
    limits = {"max_concurrent_calls": 1, "max_queued_calls": 0}
    async with started(ledger_settings(tmp_path, ratelimit=limits)) as server:
        answer = await server.call("ledger_relay", {"tool": "ledger_list"})
        assert answer.code == ""
        assert "relayed: ledger main" in answer.text


async def test_one_call_too_many_is_refused_and_told_to_wait(tmp_path: Path) -> None:
    limits = {"max_concurrent_calls": 1, "max_queued_calls": 1}
    async with started(ledger_settings(tmp_path, ratelimit=limits)) as server:
        holding = asyncio.create_task(server.call("ledger_slow"))
        await server.ledger.waiting.wait()
        queued = asyncio.create_task(server.call("ledger_list"))
        await _until_queued(server)
        refused = await server.call("ledger_list")
        assert (refused.code, refused.record["stage"]) == ("throttled", "admit")
        assert "[wait 1s]" in refused.text
        server.ledger.gate.set()
        assert [(await call).code for call in (holding, queued)] == ["", ""]


async def test_calls_in_flight_are_independent(tmp_path: Path) -> None:
    async with started(ledger_settings(tmp_path)) as server:
        waiting = asyncio.create_task(server.call("ledger_slow"))
        await server.ledger.waiting.wait()
        answers = await asyncio.gather(*(server.call("ledger_list", {"limit": 1 + n % 3}) for n in range(40)))
        assert [len(cast("list[int]", answer.facts["numbers"])) for answer in answers] == [1 + n % 3 for n in range(40)]
        server.ledger.gate.set()
        assert (await waiting).text.startswith("ledger main is open")


async def _until_queued(server: Server) -> None:
    async with asyncio.timeout(5):
        while server.app.door._parts.seats.waiting == 0:  # noqa: ASYNC110 - the seats tell nobody
            await asyncio.sleep(0)


def test_the_cap_holds_for_every_class() -> None:
    assert CallsConfig().max_timeout_s >= max(CallsConfig().quick_timeout_s, CallsConfig().slow_timeout_s)
