"""kubernetes_connect: port-forwards, to kwok's own port through the lab's kubelets, and to a contract server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from cloud_native_mcp.contract.principal import Principal
from lab.probes import wait_until
from tests.contract_servers.channels import V4, accept
from tests.contract_servers.kubelet_proxy import in_front
from tests.services.kubernetes.clusters import clusters, error_of
from tests.services.kubernetes.pods_to_run_in import make_pod

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from cloud_native_mcp.services.kubernetes.connecting.forwards import Forwards
    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Connection, Request
    from tests.services.kubernetes.scratch import Scratch

PORT = (8080).to_bytes(2, "little")
DATA, ERROR = 0, 1
OTHER = Principal("other", "api_key")


@pytest.fixture
def box(scratch: Scratch) -> Scratch:
    """A namespace with the pod ``box``."""
    make_pod(scratch)
    return scratch


async def forward(desk: Desk, box: Scratch, **arguments: object) -> Answer:
    """Forward to the pod ``box``."""
    usual: dict[str, object] = {"mode": "forward", "kind": "pod", "name": "box", "port": "8080"}
    return await desk.ask("connect", **(usual | {"namespace": box.namespace} | arguments))


def port_of(answer: Answer) -> int:
    return int(cast("Any", answer.result.facts["port"]))


def forwards_of(desk: Desk) -> Forwards:
    return cast("Any", desk.service).forwards


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a local port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def asked(port: int, given: bytes) -> bytes:
    """What comes back until the other side ends it."""
    async with connected(port) as (reader, writer):
        writer.write(given)
        return await asyncio.wait_for(reader.read(), 10)


def echo(*, greeting: bool = True) -> Behaviour:
    """A kubelet whose port answers each message in capital letters, and ends at ``BYE``."""

    async def act(connection: Connection, request: Request) -> None:
        peer = await accept(connection, request, [V4])
        assert peer is not None
        if greeting:
            await peer.send(DATA, PORT)
            await peer.send(ERROR, PORT)
        while (message := await peer.receive()) is not None:
            await peer.send(DATA, message[1].upper())
            if message[1].endswith(b"bye"):
                break
        await peer.close()

    return act


def refusing(words: str) -> Behaviour:
    """A kubelet that cannot reach the port."""

    async def act(connection: Connection, request: Request) -> None:
        peer = await accept(connection, request, [V4])
        assert peer is not None
        await peer.send(DATA, PORT)
        await peer.send(ERROR, PORT)
        await peer.send(ERROR, words.encode())
        await peer.close()

    return act


def answering_at_the_end(answer: bytes) -> Behaviour:
    """A port that answers a while after it got something."""

    async def act(connection: Connection, request: Request) -> None:
        peer = await accept(connection, request, [V4])
        assert peer is not None
        await peer.send(DATA, PORT)
        await peer.send(ERROR, PORT)
        if await peer.receive() is not None:
            await asyncio.sleep(0.2)
            await peer.send(DATA, answer)
        await peer.close()

    return act


@asynccontextmanager
async def kubelet(lab: LabEnv, box: Scratch, behaviour: Behaviour) -> AsyncGenerator[Desk]:
    """The lab's API server, with that behaviour for forwards to ``box``."""
    path = f"{box.path('v1', 'pods', 'box')}/portforward"
    async with in_front(lab.kubeconfig_admin, overrides={path: behaviour}) as (desk, _):
        yield desk


async def until(met: Callable[[], bool]) -> None:
    """Wait until it is so."""
    await asyncio.to_thread(wait_until, "what the test waits for", met, within=10)


async def healthy(port: int) -> bool:
    """Whether kwok's own health page answers there."""
    async with connected(port) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: kwok\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    return head.startswith(b"HTTP/1.1 200")


async def test_a_forward_reaches_the_port_until_it_is_stopped(cluster: Desk, box: Scratch) -> None:
    made = await forward(cluster, box)
    port = port_of(made)
    assert f"127.0.0.1:{port} leads to pod box port 8080 in {box.namespace} on lab" in made.text
    assert "closed after 15m without use" in made.text
    assert await healthy(port)
    assert all(await asyncio.gather(*(healthy(port) for _ in range(5))))
    listed = await cluster.ask("connect", mode="list")
    assert [row[1:4] for row in listed.rows] == [
        [f"127.0.0.1:{port}", f"pod box port 8080 in {box.namespace} on lab", "6"]
    ]
    stopped = await cluster.ask("connect", mode="stop", forward_id=listed.rows[0][0])
    assert "stopped forward" in stopped.text
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert (await cluster.ask("connect", mode="list")).rows == []


async def test_a_service_leads_to_a_ready_pod_and_its_target_port(cluster: Desk) -> None:
    made = await cluster.ask("connect", mode="forward", name="web", namespace="shop")
    assert "leads to pod web-" in made.text
    assert " port 8080 in shop" in made.text


async def test_data_passes_both_ways_whole(lab: LabEnv, box: Scratch) -> None:
    async with kubelet(lab, box, echo()) as desk:
        port = port_of(await forward(desk, box))
        sent = b"".join(b"%07d\n" % number for number in range(20_000))
        async with connected(port) as (reader, writer):
            writer.write(sent)
            await writer.drain()
            assert await asyncio.wait_for(reader.readexactly(len(sent)), 20) == sent
            writer.write(b"good bye")
            assert await asyncio.wait_for(reader.read(), 10) == b"GOOD BYE"


async def test_what_the_kubelet_says_is_told_in_the_list(lab: LabEnv, box: Scratch) -> None:
    async with kubelet(lab, box, refusing("failed to connect to localhost:8080 inside namespace")) as desk:
        port = port_of(await forward(desk, box))
        assert await asked(port, b"hello") == b""
        await until(lambda: bool((forwards_of(desk).of(desk.caller))[0].error))
        listed = await desk.ask("connect", mode="list")
    assert "failed to connect to localhost:8080" in listed.rows[0][5]


async def test_an_answer_that_comes_after_the_last_was_sent_is_passed_on(lab: LabEnv, box: Scratch) -> None:
    async with kubelet(lab, box, answering_at_the_end(b"late")) as desk:
        port = port_of(await forward(desk, box))
        async with connected(port) as (reader, writer):
            writer.write(b"question")
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 10) == b"late"


async def test_an_unused_forward_is_closed(lab: LabEnv, box: Scratch) -> None:
    async with kubelet(lab, box, echo()) as desk:
        forwards_of(desk).idle = 0.4
        port = port_of(await forward(desk, box))
        async with connected(port) as (reader, writer):
            for _ in range(4):  # what is used stays
                await asyncio.sleep(0.2)
                writer.write(b"x")
                assert await reader.readexactly(1) == b"X"
            assert await asyncio.wait_for(reader.read(), 10) == b""
        await until(lambda: not forwards_of(desk).of(desk.caller))
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_open_connections_end_with_the_service(lab: LabEnv, box: Scratch) -> None:
    async with kubelet(lab, box, echo()) as desk:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(await forward(desk, box)))
        writer.write(b"x")
        assert await reader.readexactly(1) == b"X"
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await writer.wait_closed()


async def test_forwards_are_for_local_callers_unless_the_operator_shares_them(lab: LabEnv, box: Scratch) -> None:
    async with clusters(lab=lab.kubeconfig_admin) as desk:
        for mode in ("forward", "list", "stop"):
            arguments = {"forward": {}, "list": {}, "stop": {"forward_id": "x"}}[mode]
            asking = replace(desk, caller=OTHER)
            attempt = forward(asking, box) if mode == "forward" else asking.ask("connect", mode=mode, **arguments)
            error = await error_of(attempt)
            assert (error.code, "kubernetes.forward_address" in error.text) == ("not_local", True)
    async with clusters(lab=lab.kubeconfig_admin, settings={"forward_address": "127.0.0.1"}) as desk:
        other = replace(desk, caller=OTHER)
        made = await forward(other, box)
        assert (await desk.ask("connect", mode="list")).rows == []
        assert len((await other.ask("connect", mode="list")).rows) == 1
        error = await error_of(desk.ask("connect", mode="stop", forward_id=made.result.facts["id"]))
        assert error.code == "not_found"


async def test_there_are_ten_at_most(cluster: Desk, box: Scratch) -> None:
    for _ in range(10):
        await forward(cluster, box)
    error = await error_of(forward(cluster, box))
    assert error.code == "too_many_forwards"
    listed = await cluster.ask("connect", mode="list")
    await cluster.ask("connect", mode="stop", forward_id=listed.rows[0][0])
    await forward(cluster, box)


async def test_a_local_port_that_is_taken_is_refused(cluster: Desk, box: Scratch) -> None:
    port = port_of(await forward(cluster, box))
    error = await error_of(forward(cluster, box, local_port=port))
    assert error.text.startswith(f"local_port: {port} cannot be listened on")
    assert len((await cluster.ask("connect", mode="list")).rows) == 1


async def test_what_would_fail_is_told_before_anything_listens(viewer: Desk, cluster: Desk, box: Scratch) -> None:
    error = await error_of(forward(viewer, box))
    assert (error.code, "get and create on pods/portforward" in error.text) == ("forbidden", True)
    assert (await error_of(forward(cluster, box, name="none"))).code == "not_found"
    box.make("Service", "lonely", spec={"selector": {"app": "none"}, "ports": [{"port": 80}]})
    error = await error_of(forward(cluster, box, kind="service", name="lonely", port="80"))
    assert error.code == "no_endpoints"
    error = await error_of(forward(cluster, box, namespace="kube-system"))
    assert error.code == "denied_by_policy"
    assert forwards_of(cluster).of(cluster.caller) == []
