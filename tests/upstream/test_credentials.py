"""Credentials of a target during its life."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.upstream.credentials import Renewal
from tests.fault_server.behaviours import Behaviour, answer
from tests.fault_server.server import fault_server
from tests.upstream.clients import client_for, soon

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fault_server.wire import Request


class Rotating:
    """Credentials that are renewed on demand; counts how often."""

    def __init__(self, *, fresh: bool = True) -> None:
        self.token = 1
        self.renewed = 0
        self._fresh = fresh

    async def headers(self) -> Mapping[str, str]:
        """The present token."""
        return {"Authorization": f"Bearer {self.token}"}

    async def refresh(self) -> bool:
        """Take the next token, after a while in which others arrive."""
        await asyncio.sleep(0.05)
        self.renewed += 1
        if self._fresh:
            self.token += 1
        return self._fresh


class Hanging:
    """Credentials that never come."""

    async def headers(self) -> Mapping[str, str]:
        """Wait forever."""
        await asyncio.Event().wait()
        return {}

    async def refresh(self) -> bool:
        """Nothing to renew."""
        return False


def gate(request: Request) -> Behaviour:
    """Lets only the second token in."""
    return answer(b"[]") if request.headers.get("authorization") == "Bearer 2" else answer(status=401)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_token_is_renewed_once_and_the_request_repeated(method: str) -> None:
    credentials = Rotating()
    async with fault_server(choose=gate) as server, client_for(server.url, credentials=credentials) as client:
        response = await client.request(method, "/x", deadline=soon())
        again = await client.request(method, "/x", deadline=soon())
    assert (response.status, again.status) == (200, 200)
    assert (credentials.renewed, len(server.requests)) == (1, 3)


async def test_a_hundred_refused_callers_renew_once_together() -> None:
    credentials = Rotating()
    async with fault_server(choose=gate) as server, client_for(server.url, credentials=credentials) as client:
        answers = await asyncio.gather(*(client.request("GET", "/x", deadline=soon()) for _ in range(100)))
    assert {response.status for response in answers} == {200}
    assert credentials.renewed == 1


async def test_a_token_that_stays_refused_is_returned_after_one_renewal() -> None:
    credentials = Rotating()
    async with fault_server(answer(status=401)) as server, client_for(server.url, credentials=credentials) as client:
        response = await client.request("GET", "/x", deadline=soon())
    assert response.status == 401
    assert (credentials.renewed, len(server.requests)) == (1, 2)


async def test_without_fresh_credentials_there_is_no_second_try() -> None:
    credentials = Rotating(fresh=False)
    async with fault_server(answer(status=401)) as server, client_for(server.url, credentials=credentials) as client:
        response = await client.request("GET", "/x", deadline=soon())
    assert response.status == 401
    assert (credentials.renewed, len(server.requests)) == (1, 1)


async def test_a_crowd_that_waits_for_a_renewal_in_vain_asks_once() -> None:
    credentials = Rotating(fresh=False)
    renewal = Renewal(credentials)
    generation, _ = await renewal.headers()
    renewed = await asyncio.gather(*(renewal.renew(generation) for _ in range(20)))
    assert not any(renewed)
    assert credentials.renewed == 1


async def test_credentials_that_hang_are_given_up_at_the_deadline() -> None:
    async with fault_server(answer()) as server, client_for(server.url, credentials=Hanging()) as client:
        with pytest.raises(BackendError, match="while getting credentials") as caught:
            await client.request("GET", "/x", deadline=soon(0.1))
    assert caught.value.code == "timeout"
    assert server.accepted == 0


async def test_credentials_of_the_target_cannot_be_replaced_by_a_request() -> None:
    async with fault_server(answer()) as server, client_for(server.url, credentials=Rotating()) as client:
        await client.request("GET", "/x", deadline=soon(), headers={"Authorization": "Bearer other"})
    assert server.requests[0].headers["authorization"] == "Bearer 1"
