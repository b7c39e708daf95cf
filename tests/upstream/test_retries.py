"""How often a request is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.upstream.retry import pause_before, retry_after
from tests.fault_server.behaviours import (
    Behaviour,
    answer,
    answer_then_close,
    close,
    html_login,
    reset,
    reset_in_body,
    stall,
)
from tests.fault_server.server import fault_server
from tests.promises import promise
from tests.upstream.clients import Observed, client_for, soon

RESENT_BY_AIOHTTP = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]


@promise("F5")
@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_read_is_retried_twice_on_a_gateway_status_and_then_the_status_is_returned(status: int) -> None:
    observer = Observed()
    async with (
        fault_server(answer("gone", status=status)) as server,
        client_for(server.url, observer=observer) as client,
    ):
        response = await client.request("GET", "/read", deadline=soon())
    assert (response.status, response.body) == (status, b"gone")
    assert len(server.requests) == 3
    assert observer.outcomes == [str(status)] * 3


async def test_a_read_that_recovers_is_answered() -> None:
    script = answer(status=503), reset(), answer(b'"well"')
    async with fault_server(*script) as server, client_for(server.url) as client:
        response = await client.request("GET", "/read", deadline=soon())
    assert (response.status, response.body) == (200, b'"well"')
    assert len(server.requests) == 3


@promise("F5")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_write_is_never_sent_twice_on_a_server_error(method: str, status: int) -> None:
    async with fault_server(answer(status=status)) as server, client_for(server.url) as client:
        response = await client.request(method, "/write", deadline=soon(), body=b"{}")
    assert response.status == status
    assert len(server.requests) == 1


async def test_a_plain_500_is_not_retried() -> None:
    async with fault_server(answer(status=500)) as server, client_for(server.url) as client:
        await client.request("GET", "/read", deadline=soon())
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("fault", [reset(), close(), reset_in_body()])
async def test_a_write_whose_answer_is_lost_has_an_unknown_outcome_and_is_sent_once(
    method: str, fault: Behaviour
) -> None:
    async with fault_server(fault) as server, client_for(server.url) as client:
        with pytest.raises(BackendError, match="read the state before repeating") as caught:
            await client.request(method, "/write", deadline=soon(), body=b"{}")
    assert caught.value.code == "unknown_outcome"
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_write_on_a_kept_connection_that_drops_is_not_sent_again_behind_our_back(method: str) -> None:
    """The library below would resend PUT and DELETE here by itself: the connection was used before."""
    async with fault_server(answer(), close(), answer()) as server, client_for(server.url) as client:
        await client.request("GET", "/first", deadline=soon())
        with pytest.raises(BackendError) as caught:
            await client.request(method, "/second", deadline=soon(), body=b"{}")
    assert caught.value.code == "unknown_outcome"
    assert [request.path for request in server.requests] == ["/first", "/second"]
    assert server.accepted == 1


@pytest.mark.parametrize("method", RESENT_BY_AIOHTTP)
async def test_no_method_is_resent_outside_the_retry_budget(method: str) -> None:
    """With three attempts of a read, and one of anything else, a hidden resend would show as a further request."""
    observer = Observed()
    async with fault_server(answer(), close()) as server, client_for(server.url, observer=observer) as client:
        await client.request("GET", "/first", deadline=soon())
        with pytest.raises(BackendError):
            await client.request(method, "/second", deadline=soon())
    sent = [request for request in server.requests if request.path == "/second"]
    assert len(sent) == len(observer.outcomes) - 1


async def test_a_read_on_a_dropped_idle_connection_goes_over_a_fresh_one() -> None:
    async with fault_server(answer_then_close(b"1"), answer(b"2")) as server, client_for(server.url) as client:
        first = await client.request("GET", "/first", deadline=soon())
        second = await client.request("GET", "/second", deadline=soon())
    assert (first.body, second.body) == (b"1", b"2")
    assert server.accepted == 2


async def test_a_post_that_only_reads_is_retried_when_the_service_says_so() -> None:
    async with fault_server(answer(status=503), answer(b"[]")) as server, client_for(server.url) as client:
        response = await client.request("POST", "/query", deadline=soon(), body=b"q", read=True)
    assert response.body == b"[]"
    assert [request.body for request in server.requests] == [b"q", b"q"]


async def test_a_reset_in_the_middle_of_a_read_is_retried() -> None:
    async with fault_server(reset_in_body(), answer(b"[]")) as server, client_for(server.url) as client:
        response = await client.request("GET", "/read", deadline=soon())
    assert response.body == b"[]"
    assert server.accepted == 2


async def test_there_is_no_retry_that_would_not_fit_the_deadline() -> None:
    waits = answer(status=503, headers={"Retry-After": "2"})
    async with fault_server(waits) as server, client_for(server.url) as client:
        response = await client.request("GET", "/read", deadline=soon(1.5))
    assert response.status == 503
    assert len(server.requests) == 1


async def test_a_long_retry_after_is_left_to_the_caller() -> None:
    waits = answer(status=503, headers={"Retry-After": "3600"})
    async with fault_server(waits) as server, client_for(server.url) as client:
        response = await client.request("GET", "/read", deadline=soon(7200))
    assert retry_after(response.headers) == 3600
    assert len(server.requests) == 1


async def test_a_redirect_is_returned_and_not_followed() -> None:
    elsewhere = answer(status=302, headers={"Location": "http://127.0.0.1:1/stolen"})
    async with fault_server(elsewhere) as server, client_for(server.url) as client:
        response = await client.request("GET", "/read", deadline=soon())
    assert response.status == 302
    assert len(server.requests) == 1


async def test_the_retries_of_a_stream_end_when_its_head_is_there() -> None:
    async with (
        fault_server(answer(status=503), html_login(), stall()) as server,
        client_for(server.url) as client,
        client.stream("GET", "/log", deadline=soon()) as stream,
    ):
        assert stream.status == 200
        assert b"".join([part async for part in stream.parts()]).startswith(b"<!DOCTYPE")
    assert len(server.requests) == 2


def test_pauses_grow_and_end_after_two_retries() -> None:
    pauses = [pause_before(attempt, soon(60), jitter=max) for attempt in (1, 2, 3)]
    assert pauses == [0.1, 0.3, None]


def test_a_retry_after_is_read_as_seconds_or_as_a_date_and_odd_ones_are_ignored() -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": later}, now=now) == 90
    assert retry_after({"retry-after": format_datetime(now - timedelta(days=1), usegmt=True)}, now=now) == 0
    assert [retry_after({"retry-after": text}) for text in ("", "soon", "-5", "٣")] == [None] * 4
