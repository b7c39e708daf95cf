"""Faults of a backend, for every service: the caller is told what happened, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.upstream.pool import Pool
from tests.fault_server import behaviours as fault
from tests.fault_server.server import FaultServer, closed_port, fault_server
from tests.faults.table import every_service

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request
    from tests.faults.service import Ask, FaultyService

LONG = 20.0
CANARY = "canary-4b1d0c77a9e35f62"


@dataclass
class Backend:
    """A backend whose reads can be made faulty, and a caller of it."""

    service: FaultyService
    ask: Ask
    server: FaultServer
    fault: Behaviour
    reads: int = 0

    def choose(self, request: Request) -> Behaviour:
        """What precedes the read goes on working; the read meets the fault."""
        early = self.service.prelude(request)
        if early is not None:
            return early
        self.reads += 1
        return self.fault

    async def refusal(self, *, seconds: float = LONG) -> ToolError:
        """The error of one call."""
        with pytest.raises(ToolError) as caught:
            await self.ask(Deadline.after(seconds))
        return caught.value

    async def recovers(self) -> None:
        """Once the backend is well, the next call succeeds: nothing of the fault was kept."""
        self.fault = self.service.good
        assert await self.ask(Deadline.after(LONG)) is not None


@contextlib.asynccontextmanager
async def backend(service: FaultyService, faulty: Behaviour) -> AsyncGenerator[Backend]:
    """The service connected to a backend with that fault."""
    pool = Pool()
    broken: list[Backend] = []

    def choose(request: Request) -> Behaviour:
        return broken[0].choose(request)

    try:
        async with fault_server(choose=choose) as server:
            broken.append(Backend(service, service.connect(server.url, pool), server, faulty))
            yield broken[0]
    finally:
        await pool.close()


@every_service("F1")
async def test_a_dead_backend_is_refused_by_name_and_after_five_times_not_even_tried(service: FaultyService) -> None:
    pool = Pool()
    try:
        with closed_port() as url:
            ask = service.connect(url, pool)
            texts: list[str] = []
            for _ in range(7):
                with pytest.raises(ToolError) as caught:
                    await ask(Deadline.after(LONG))
                assert caught.value.code == "unreachable"
                texts.append(caught.value.text)
    finally:
        await pool.close()
    assert "refused the connection" in texts[0]
    assert url.removeprefix("http://") in texts[0]
    assert "not tried: the last 5 connections failed" in texts[-1]


@every_service("F3")
async def test_a_backend_that_never_answers_is_given_up_at_the_deadline_and_let_go(service: FaultyService) -> None:
    async with backend(service, fault.stall()) as broken:
        error = await broken.refusal(seconds=1.0)
        assert error.code == "timeout"
        assert broken.reads == 1
        await broken.recovers()


@every_service("F3")
async def test_a_cancelled_call_closes_its_request_to_the_backend(service: FaultyService) -> None:
    async with backend(service, fault.stall()) as broken:
        call = asyncio.ensure_future(broken.ask(Deadline.after(LONG)))
        await broken.server.wait_for(lambda: broken.reads == 1)
        alive = broken.server.alive
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await broken.server.wait_for(lambda: broken.server.alive < alive)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@every_service("F5")
async def test_a_server_error_is_told_with_its_status_and_masked_words_after_two_retries_at_most(
    service: FaultyService, status: int
) -> None:
    body = f"out of memory\nAuthorization: Bearer {CANARY}\n" + "x" * 5_000
    async with backend(service, fault.answer(body, status=status, kind="text/plain")) as broken:
        error = await broken.refusal()
        assert error.code in {"backend_error", "timeout"}
        assert str(status) in error.text
        assert "out of memory" in error.text
        assert CANARY not in error.text
        assert len(error.text) < 800
        assert broken.reads == (1 if status == 500 else 3)
        await broken.recovers()


@every_service("F8")
async def test_a_forbidden_read_names_what_is_forbidden_and_is_neither_retried_nor_kept(service: FaultyService) -> None:
    async with backend(service, service.forbidden) as broken:
        error = await broken.refusal()
        assert (error.code, error.kind) == ("forbidden", "final")
        for word in service.forbidden_words:
            assert word in error.text
        assert broken.reads == 1
        await broken.refusal()
        assert broken.reads == 2
        await broken.recovers()


@every_service("F9")
async def test_a_missing_object_a_refused_method_and_a_missing_api_are_three_different_errors(
    service: FaultyService,
) -> None:
    refused_method = fault.answer("method not allowed", status=405, kind="text/plain")
    errors: list[ToolError] = []
    for faulty in (service.object_missing, refused_method, service.api_missing):
        async with backend(service, faulty) as broken:
            errors.append(await broken.refusal())
            await broken.recovers()
    assert len({error.text for error in errors}) == 3
    assert len({(error.code, error.text.partition(":")[2][:60]) for error in errors}) == 3


CUTS = [fault.wrong_length(), fault.cut_chunks(), fault.cut_json(), fault.bad_gzip(), fault.cut_gzip()]


@pytest.mark.parametrize("faulty", CUTS, ids=["wrong_length", "cut_chunks", "cut_json", "bad_gzip", "cut_gzip"])
@every_service("F13")
async def test_a_cut_answer_is_refused_as_incomplete_and_not_kept(service: FaultyService, faulty: Behaviour) -> None:
    async with backend(service, faulty) as broken:
        error = await broken.refusal()
        assert error.code == "bad_answer"
        assert "incomplete answer" in error.text
        await broken.recovers()


OTHER = [
    (fault.html_login(), "looks like a login page"),
    (fault.answer("ok", kind="text/plain"), "not JSON"),
    (fault.answer(""), "empty"),
    (fault.answer("null"), "null"),
]


@pytest.mark.parametrize(("faulty", "words"), OTHER, ids=["html", "text", "empty", "null"])
@every_service("F14")
async def test_success_with_something_else_than_the_api_is_refused(
    service: FaultyService, faulty: Behaviour, words: str
) -> None:
    async with backend(service, faulty) as broken:
        error = await broken.refusal()
        assert error.code == "bad_answer"
        assert words in error.text
        await broken.recovers()


@pytest.mark.parametrize("faulty", [fault.endless(500), fault.gzip_bomb(500)], ids=["500_MB", "gzip_bomb"])
@every_service("F15")
async def test_a_huge_answer_is_stopped_at_the_cap_with_flat_memory(service: FaultyService, faulty: Behaviour) -> None:
    async with backend(service, faulty) as broken:
        tracemalloc.start()
        try:
            error = await broken.refusal()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert error.code == "bad_answer"
        assert "larger than" in error.text
        assert peak < 150_000_000
        await broken.recovers()
