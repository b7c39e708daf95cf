"""Equal reads at the same time are one request; a read after a write never joins one from before it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.resources import Resource
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.json_values import dig
from cloud_native_mcp.errors import BackendError
from tests.backends.kubernetes.clusters import cluster, soon
from tests.fault_server.behaviours import answer

if TYPE_CHECKING:
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Connection, Request

MAPS = Resource(
    group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True, verbs=frozenset({"get", "list"})
)


@dataclass
class Slow:
    """An API server whose reads answer when they are let; each tells which read it was."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reads: int = 0

    def choose(self, request: Request) -> Behaviour:
        if request.method != "GET":
            return answer({"kind": "ConfigMap", "metadata": {"name": "one"}})
        self.reads += 1
        number = self.reads

        async def act(connection: Connection, asked: Request) -> None:
            await self.gate.wait()
            await answer({"kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"read": number}})(
                connection, asked
            )

        return act


async def until(slow: Slow, reads: int) -> None:
    async with asyncio.timeout(5):
        for _ in range(500):
            if slow.reads >= reads:
                return
            await asyncio.sleep(0.01)
    raise AssertionError(slow.reads)


async def test_equal_reads_at_the_same_time_share_one_request() -> None:
    slow = Slow()
    async with cluster(slow.choose) as (client, _):
        reads = [asyncio.create_task(client.get(MAPS, "one", namespace="here", deadline=soon())) for _ in range(20)]
        other = asyncio.create_task(client.get(MAPS, "two", namespace="here", deadline=soon()))
        await until(slow, 2)
        slow.gate.set()
        found = await asyncio.gather(*reads)
        await other
        assert slow.reads == 2
        assert len({id(each) for each in found}) == 20
        await client.get(MAPS, "one", namespace="here", deadline=soon())
        assert slow.reads == 3


async def test_a_read_after_a_write_does_not_join_one_from_before() -> None:
    slow = Slow()
    async with cluster(slow.choose) as (client, _):
        before = asyncio.create_task(client.get(MAPS, "one", namespace="here", deadline=soon()))
        await until(slow, 1)
        await writes.delete(client, MAPS, "one", namespace="here", deadline=soon())
        after = asyncio.create_task(client.get(MAPS, "one", namespace="here", deadline=soon()))
        await until(slow, 2)
        slow.gate.set()
        assert dig(await before, "data", "read") == 1
        assert dig(await after, "data", "read") == 2


async def test_the_deadline_of_another_call_ends_nobody_elses_read() -> None:
    slow = Slow()
    async with cluster(slow.choose) as (client, _):
        hasty = asyncio.create_task(client.get(MAPS, "one", namespace="here", deadline=Deadline.after(0.3)))
        await until(slow, 1)
        patient = asyncio.create_task(client.get(MAPS, "one", namespace="here", deadline=soon()))
        with pytest.raises(BackendError) as caught:
            await hasty
        assert caught.value.code == "timeout"
        slow.gate.set()
        assert dig(await patient, "metadata", "name") == "one"


async def test_a_caller_that_goes_leaves_the_read_to_the_others() -> None:
    slow = Slow()
    async with cluster(slow.choose) as (client, _):
        first = asyncio.create_task(client.get(MAPS, "one", namespace="here", deadline=soon()))
        await until(slow, 1)
        second = asyncio.create_task(client.get(MAPS, "one", namespace="here", deadline=soon()))
        await asyncio.sleep(0)
        first.cancel()
        slow.gate.set()
        assert dig(await second, "data", "read") == 1
        assert slow.reads == 1
