"""The circuit breaker of a target."""

from __future__ import annotations

import pytest

from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.upstream.address import parse_base_url
from cloud_native_mcp.upstream.breaker import FIRST_PAUSE, LONGEST_PAUSE, OPENS_AFTER, Breaker
from cloud_native_mcp.upstream.client import Client
from cloud_native_mcp.upstream.observer import NoObserver
from cloud_native_mcp.upstream.pool import Pool
from cloud_native_mcp.upstream.tls import TlsContexts
from tests.fault_server.behaviours import answer, stall
from tests.fault_server.server import closed_port, fault_server
from tests.promises import promise
from tests.upstream.clients import Observed, client_for, sample_target, soon


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock) -> Breaker:
    """A breaker without randomness."""
    return Breaker("sample target main", clock=clock, jitter=lambda _low, _high: 1.0)


def fail(target: Breaker, times: int) -> None:
    """Fail that often in a row."""
    for _ in range(times):
        target.admit()
        target.failed("refused")


@promise("F1")
async def test_after_five_failed_connections_the_next_call_is_refused_at_once_and_says_so() -> None:
    observer = Observed()
    with closed_port() as url:
        async with client_for(url, observer=observer) as client:
            for _ in range(OPENS_AFTER):
                with pytest.raises(BackendError, match="refused the connection"):
                    await client.request("POST", "/x", deadline=soon())
            with pytest.raises(BackendError, match="not tried: the last 5 connections failed") as caught:
                await client.request("POST", "/x", deadline=soon())
    assert caught.value.code == "unreachable"
    assert "refused the connection" in caught.value.text
    assert len(observer.outcomes) == OPENS_AFTER


def test_a_success_in_between_starts_the_count_again() -> None:
    clock = Clock()
    target = breaker(clock)
    fail(target, OPENS_AFTER - 1)
    target.connected()
    fail(target, OPENS_AFTER - 1)
    assert not target.open


def test_when_the_pause_is_over_one_probe_passes_and_the_others_are_still_refused() -> None:
    clock = Clock()
    target = breaker(clock)
    fail(target, OPENS_AFTER)
    clock.now = FIRST_PAUSE
    target.admit()
    with pytest.raises(BackendError, match="not tried"):
        target.admit()
    target.connected()
    target.admit()
    assert not target.open


def test_failed_probes_double_the_pause_up_to_its_bound() -> None:
    clock = Clock()
    target = breaker(clock)
    fail(target, OPENS_AFTER)
    pauses: list[float] = []
    for _ in range(8):
        begun = clock.now
        while True:
            try:
                target.admit()
            except BackendError:
                clock.now += 0.5
            else:
                break
        pauses.append(clock.now - begun)
        target.failed("refused")
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_probe_that_was_cancelled_leaves_room_for_the_next() -> None:
    clock = Clock()
    target = breaker(clock)
    fail(target, OPENS_AFTER)
    clock.now = FIRST_PAUSE
    target.admit()
    target.abandoned()
    target.admit()


async def test_slow_answers_and_server_errors_do_not_open_the_breaker() -> None:
    async with fault_server(stall(), *[answer(status=500)] * 9) as server, client_for(server.url) as client:
        with pytest.raises(BackendError):
            await client.request("GET", "/x", deadline=soon(0.1))
        statuses = [(await client.request("GET", "/x", deadline=soon())).status for _ in range(9)]
    assert statuses == [500] * 9


async def test_a_backend_that_comes_back_is_used_again_after_one_good_probe() -> None:
    clock = Clock()
    guarded = breaker(clock)
    pool = Pool()
    try:
        async with fault_server(answer(b"[]")) as server:
            client = Client(
                sample_target(server.url),
                parse_base_url(server.url, setting="url"),
                sessions=pool,
                tls=TlsContexts(),
                breaker=guarded,
                observer=NoObserver(),
            )
            fail(guarded, OPENS_AFTER)
            with pytest.raises(BackendError, match="not tried"):
                await client.request("GET", "/x", deadline=soon())
            clock.now = FIRST_PAUSE
            answers = [await client.request("GET", "/x", deadline=soon()) for _ in range(3)]
    finally:
        await pool.close()
    assert [response.body for response in answers] == [b"[]"] * 3
