"""A caller that goes away: the call ends, the audit says so, nothing is left running."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.promises import promise
from tests.server_fixtures import Served, Server, ledger_settings, served
from tests.transport.serving import eventually
from tests.transport.sessions import SseClient, Stream, notification, open_session
from tests.transport.wire import SECONDS, Json, head, headers_for, legacy_call, modern_call, post

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

PATH = "/api/ledger/streamable-http"


@pytest.fixture(params=[True, False], ids=["fast", "library"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Generator[Served]:
    with served(ledger_settings(tmp_path, server={"fast_path": request.param})) as running:
        yield running


@promise("T1")
async def test_a_cancelled_call_is_audited_as_cancelled_and_frees_its_seat(reading: Server) -> None:
    before = asyncio.all_tasks()
    call = asyncio.create_task(reading.call("ledger_slow", request_id="c1"))
    await reading.ledger.waiting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    record = await reading.ended("c1")
    assert record["outcome"] == "cancelled"
    assert reading.ledger.cancelled == 1
    assert asyncio.all_tasks() == before
    assert not reading.app.door._parts.seats._free.locked()


@promise("T1")
async def test_the_calls_a_cancelled_tool_made_are_cancelled_and_audited_too(reading: Server) -> None:
    call = asyncio.create_task(reading.call("ledger_relay", {"tool": "ledger_slow"}, request_id="c1"))
    await reading.ledger.waiting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await reading.ended("c1"))["outcome"] == "cancelled"
    child = (await reading.stored(lambda line: line["tool"] == "ledger_slow"))[0]
    assert (child["outcome"], child["parent"]) == ("cancelled", "c1")


@promise("T1")
@pytest.mark.parametrize("progress", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_caller_that_hangs_up_cancels_its_call(server: Served, era: str, *, progress: bool) -> None:
    token: Json = {"progressToken": "p"} if progress else {}
    form = modern_call if era == "modern" else legacy_call
    message = form("ledger_slow", {"steps": 2}, **token)
    body = json.dumps(message).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(head(server, PATH, **{**headers_for(message), "content-length": str(len(body))}) + body)
        assert eventually(server.ledger.waiting.is_set)
    _ended(server)


@promise("T1")
def test_a_caller_whose_sse_stream_closes_cancels_its_call(server: Served) -> None:
    with SseClient(server, "/api/ledger/sse") as client:
        client.send(legacy_call("ledger_slow"))
        assert eventually(server.ledger.waiting.is_set)
    _ended(server)


@promise("T1")
def test_a_call_in_a_session_is_cancelled_when_its_caller_says_so(tmp_path: Path) -> None:
    with served(ledger_settings(tmp_path, server={"legacy": "sessions"})) as running:
        named = open_session(running, path=PATH)
        with Stream(running, PATH, legacy_call("ledger_slow", request_id=7), **named):
            assert eventually(running.ledger.waiting.is_set)
            post(running, notification("notifications/cancelled", {"requestId": 7}), path=PATH, headers=named)
            _ended(running)


def _ended(server: Served) -> None:
    """The call was cancelled, is on record as that, and left nothing behind."""
    assert eventually(lambda: server.ledger.cancelled == 1)
    record = server.stored(lambda line: line["tool"] == "ledger_slow")[0]
    assert (record["phase"], record["outcome"]) == ("end", "cancelled")
    assert eventually(lambda: server.app.drain.in_flight == 0)
    assert not server.inside.door._parts.seats._free.locked()
