"""Port-forwards of this process: listeners on this machine, each bound to its caller and closed when nobody uses it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.port_forward import carry
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.services.kubernetes.connecting.ports import PodPort

logger = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
MOST_FORWARDS: Final = 10
IDLE_SECONDS: Final = 900.0
_OPEN_SECONDS: Final = 15.0


@dataclass(slots=True)
class Forward:
    """One listener.

    Attributes:
        owner: authentication method and id of the caller.
        last_used: monotonic second of the last byte or connection.
        error: why the last connection failed.
    """

    id: str
    owner: tuple[str, str]
    client: KubernetesClient
    pods: Resource
    namespace: str
    to: PodPort
    address: str
    port: int
    last_used: float
    used: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    error: str = ""
    server: asyncio.Server | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])

    def touch(self) -> None:
        """Note that it is used."""
        self.last_used = time.monotonic()
        self.used.set()

    @property
    def label(self) -> str:
        """``pod web-1 port 8080 in shop on lab``."""
        return f"pod {self.to.pod} port {self.to.port} in {self.namespace} on {self.client.name}"


class Forwards:
    """All forwards of the service.

    Args:
        address: where they listen.
        idle: seconds without use after which one is closed.
    """

    def __init__(self, address: str = LOOPBACK, *, idle: float = IDLE_SECONDS) -> None:
        self.address = address
        self.idle = idle
        self._open: dict[str, Forward] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}

    def of(self, principal: Principal) -> Sequence[Forward]:
        """A caller's own."""
        owner = (principal.method, principal.id)
        return [one for one in self._open.values() if one.owner == owner]

    async def open(
        self,
        client: KubernetesClient,
        pods: Resource,
        to: PodPort,
        *,
        namespace: str,
        local_port: int,
        principal: Principal,
    ) -> Forward:
        """Listen, and carry each connection to the pod.

        Args:
            local_port: 0 picks a free one.

        Raises:
            ToolError: ``too_many_forwards``.
            InvalidArgument: the local port is taken, or may not be listened on.
        """
        if len(self._open) >= MOST_FORWARDS:
            text = f"{MOST_FORWARDS} forwards are open already; mode=stop closes one"
            raise ToolError("too_many_forwards", text, kind="final")
        forward = Forward(
            secrets.token_hex(4),
            (principal.method, principal.id),
            client,
            pods,
            namespace,
            to,
            self.address,
            local_port,
            time.monotonic(),
        )
        self._open[forward.id] = forward
        try:
            forward.server = await asyncio.start_server(
                lambda reader, writer: _accept(forward, reader, writer), self.address, local_port
            )
        except OSError as error:
            del self._open[forward.id]
            raise InvalidArgument("local_port", f"{local_port} cannot be listened on: {error.strerror}") from None
        forward.port = forward.server.sockets[0].getsockname()[1]
        self._watchers[forward.id] = asyncio.create_task(self._close_when_idle(forward), name=f"idle {forward.id}")
        return forward

    async def stop(self, forward_id: str, principal: Principal) -> Forward:
        """Close one of the caller's own.

        Raises:
            InvalidArgument: the caller has none of that id.
        """
        forward = next((one for one in self.of(principal) if one.id == forward_id), None)
        if forward is None:
            there = ", ".join(one.id for one in self.of(principal)) or "none"
            raise InvalidArgument(
                "forward_id", f"no forward {forward_id[:40]!a} is open; open: {there}", code="not_found"
            )
        watcher = self._watchers.pop(forward.id)
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        await self._close(forward)
        return forward

    async def close(self) -> None:
        """Close all."""
        watchers, self._watchers = list(self._watchers.values()), {}
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        for forward in list(self._open.values()):
            await self._close(forward)

    async def _close_when_idle(self, forward: Forward) -> None:
        with contextlib.suppress(TimeoutError):
            while True:
                forward.used.clear()
                async with asyncio.timeout(self.idle):
                    await forward.used.wait()
        self._watchers.pop(forward.id, None)
        await self._close(forward)

    async def _close(self, forward: Forward) -> None:
        self._open.pop(forward.id, None)
        if forward.server is not None:
            forward.server.close()
        tasks = list(forward.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if forward.server is not None:
            await forward.server.wait_closed()


def _accept(forward: Forward, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry a connection in a task that ends with the forward."""
    forward.connections += 1
    forward.touch()
    task = asyncio.create_task(_carry(forward, reader, writer), name=f"forward {forward.id}")
    forward.tasks.add(task)
    task.add_done_callback(forward.tasks.discard)


async def _carry(forward: Forward, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        forward.error = await carry(
            forward.client,
            forward.pods,
            forward.to.pod,
            forward.to.port,
            reader,
            writer,
            namespace=forward.namespace,
            opening=Deadline.after(_OPEN_SECONDS),
            used=forward.touch,
        )
    except BackendError as error:
        forward.error = f"{error.code}: {error.text}"
        logger.info("a connection of a forward failed: %s", error.code)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
