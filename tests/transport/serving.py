"""The real HTTP server on a free loopback port, in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from cloud_native_mcp.transport.config import ServerConfig
from cloud_native_mcp.transport.endpoint import Identity
from cloud_native_mcp.transport.http_app import HttpApp, build_app
from cloud_native_mcp.transport.probes import Probes
from cloud_native_mcp.transport.server import DrainServer, make_server
from tests.transport.sample_door import SampleDoor

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence

    from mcp.server.subscriptions import SubscriptionBus
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_native_mcp.routing.request import ToolDoor
    from cloud_native_mcp.transport.endpoint import RawHandlers

ResultT = TypeVar("ResultT")
IDENTITY = Identity(version="0.0.0", instructions="Sample tools.")
BOUND_SECONDS = 5.0


async def _detail() -> Mapping[str, object]:
    return {"services": {"alpha": "running"}}


def sample_probes() -> Probes:
    return Probes(
        ready=lambda: True,
        summary=lambda: {"status": "ok"},
        detail=_detail,
        metrics=lambda: (b"cnmcp_up 1\n", "text/plain"),
    )


@dataclass
class Running:
    """A server that runs now."""

    app: HttpApp
    server: DrainServer
    port: int
    door: ToolDoor
    loops: list[asyncio.AbstractEventLoop] = field(default_factory=list[asyncio.AbstractEventLoop])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def within(self, work: Callable[[], Coroutine[object, object, ResultT]]) -> ResultT:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work(), self.loops[0]).result(BOUND_SECONDS)

    def tasks(self) -> Counter[str]:
        """What runs in the server's loop, by the name of its coroutine."""

        async def look() -> Counter[str]:
            return Counter(getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())

        return self.within(look)

    def sessions(self) -> int:
        """Sessions and streams open now."""
        return sum(endpoint.manager.session_count for endpoint in self.app.endpoints) + sum(
            stream.open_streams for stream in self.app.streams
        )


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within the bound."""
    until = time.monotonic() + BOUND_SECONDS
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


@contextmanager
def serving(
    door: ToolDoor | None = None,
    *,
    wrap: Sequence[Callable[[ASGIApp], ASGIApp]] = (),
    raw: Mapping[str, RawHandlers] | None = None,
    state_keys: Sequence[bytes] | None = None,
    bus: SubscriptionBus | None = None,
    session_retry_ms: int = 1_000,
    count_connections: Callable[[int], None] | None = None,
    **settings: object,
) -> Generator[Running]:
    """Serve until the block ends."""
    config = ServerConfig.model_validate({"graceful_shutdown_s": 2.0, **settings})
    door = door or SampleDoor()
    loops: list[asyncio.AbstractEventLoop] = []
    app = build_app(
        door,
        config,
        identity=IDENTITY,
        probes=sample_probes(),
        wrap=wrap,
        raw=raw,
        state_keys=state_keys,
        bus=bus,
        session_retry_ms=session_retry_ms,
    )

    async def remembering(scope: Scope, receive: Receive, send: Send) -> None:
        if not loops:
            loops.append(asyncio.get_running_loop())
        await app(scope, receive, send)

    server = make_server(app, config, count_connections=count_connections)
    server.config.app = remembering
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            assert eventually(lambda: server.started), "server did not start"
            yield Running(app, server, port, door, loops)
        finally:
            server.should_exit = True
            thread.join(15)
            assert not thread.is_alive(), "server did not stop"
