"""The fault server: accepts on loopback and does to each request what its script says."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import TYPE_CHECKING

from tests.fault_server.behaviours import Behaviour
from tests.fault_server.wire import Connection, Request

if TYPE_CHECKING:
    import ssl

Choose = Callable[[Request], Behaviour]


class FaultServer:
    """Runs behaviours, one per request in the order of arrival; the last one repeats.

    Attributes:
        requests: all requests so far.
        accepted: connections accepted so far.
        alive: connections that are open now.
    """

    def __init__(self, script: Sequence[Behaviour] | Choose, scheme: str) -> None:
        self.requests: list[Request] = []
        self.accepted = 0
        self.alive = 0
        self.arrived = asyncio.Condition()
        self._script = script
        self._scheme = scheme
        self._port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Base URL of the server."""
        return (
            f"{self._scheme}://localhost:{self._port}" if self._scheme == "https" else f"http://127.0.0.1:{self._port}"
        )

    def replace(self, *script: Behaviour) -> None:
        """Do this from now on."""
        self._script = script
        self.requests.clear()

    async def wait_for(self, met: Callable[[], bool]) -> None:
        """Wait until the condition holds; looked at whenever a request comes or a connection ends, at most 5 s."""
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(met)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection(reader, writer)
        self.accepted += 1
        self.alive += 1
        try:
            while not connection.ended and (request := await connection.request()) is not None:
                self.requests.append(request)
                await self._tell()
                await self._behaviour(request)(connection, request)
        except asyncio.CancelledError:
            # Only `stop` cancels; the streams protocol of Python 3.11 reports a cancelled handler as a fault.
            connection.ended = True
        finally:
            self.alive -= 1
            self._tasks.discard(task)
            await connection.close()
            await self._tell()

    def _behaviour(self, request: Request) -> Behaviour:
        if callable(self._script):
            return self._script(request)
        return self._script[min(len(self.requests), len(self._script)) - 1]

    async def _tell(self) -> None:
        async with self.arrived:
            self.arrived.notify_all()

    def listening(self, server: asyncio.Server) -> None:
        """Take the port from the listening socket."""
        self._port = int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """End what is still open."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def fault_server(
    *script: Behaviour, choose: Choose | None = None, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[FaultServer]:
    """A running fault server with behaviours in order, or with a function that chooses one for each request."""
    faults = FaultServer(choose or script, "https" if tls else "http")
    server = await asyncio.start_server(faults.serve, "127.0.0.1", 0, ssl=tls, limit=1_048_576)
    faults.listening(server)
    try:
        yield faults
    finally:
        server.close()
        await faults.stop()
        await server.wait_closed()


@contextlib.contextmanager
def closed_port() -> Generator[str]:
    """Base URL of a port that refuses connections and that nobody else can take."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
