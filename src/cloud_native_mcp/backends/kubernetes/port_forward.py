"""One connection to a port of a pod, over the channels of a WebSocket.

Channel 0 carries data both ways, channel 1 words about a failure; the first message of each is the port, in two bytes.
Such a WebSocket has no half-close, so each local connection has one of its own.
Facts: https://github.com/kubernetes/kubernetes/blob/v1.37.0/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.exec_stream import V4
from cloud_native_mcp.backends.kubernetes.status import shown_message
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpSocket

DATA, ERROR = 0, 1
AFTER_END_SECONDS: Final = 10.0
"""How long an answer may pause after the local side has sent its last: it may have gone altogether."""
_PIECE: Final = 32_000


@contextlib.asynccontextmanager
async def opened(
    client: KubernetesClient, pods: Resource, pod: str, port: int, *, namespace: str, deadline: Deadline
) -> AsyncGenerator[HttpSocket]:
    """A WebSocket to a port of a pod.

    Raises:
        KubernetesError: refused, with a hint which rights are needed; ``not_found``.
        BackendError: ``unsupported``, ``unreachable``, …
    """
    path = pods.path(namespace=namespace, name=pod, subresource="portforward")
    what = f"forward to port {port} of pods {pod} in {namespace}"
    params = [("ports", str(port))]
    try:
        async with client.socket(path, what=what, deadline=deadline, protocols=[V4], params=params) as socket:
            yield socket
    except BackendError as error:
        if error.code != "forbidden":
            raise
        hint = f"; forwarding needs get and create on pods/portforward in namespace {namespace}"
        raise BackendError(error.code, f"{error.text}{hint}", status=error.status) from error


async def carry(
    client: KubernetesClient,
    pods: Resource,
    pod: str,
    port: int,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    namespace: str,
    opening: Deadline,
    used: Callable[[], None],
) -> str:
    """Carry a local connection to a pod until either side ends it.

    Args:
        used: is called for each piece that passes.

    Returns:
        What the cluster says went wrong; empty when nothing did.

    Raises:
        BackendError: as `opened`.
    """
    async with opened(client, pods, pod, port, namespace=namespace, deadline=opening) as socket:
        patience = _Patience()
        sending = asyncio.create_task(_send(reader, socket, used, patience))
        try:
            return await _receive(socket, writer, used, patience)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


class _Patience:
    """For how long the other side may say nothing: without end, until the local side has sent its last."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._limit: asyncio.Timeout | None = None

    def end(self) -> None:
        """From now on pauses are short."""
        self.seconds = AFTER_END_SECONDS
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + AFTER_END_SECONDS)

    async def receive(self, socket: HttpSocket) -> bytes | None:
        """The next message; None at the end, or when nothing comes in time."""
        try:
            async with asyncio.timeout(self.seconds) as self._limit:
                return await socket.receive()
        except TimeoutError:
            return None
        finally:
            self._limit = None


async def _send(
    reader: asyncio.StreamReader, socket: HttpSocket, used: Callable[[], None], patience: _Patience
) -> None:
    with contextlib.suppress(BackendError, OSError):
        while piece := await reader.read(_PIECE):
            used()
            await socket.send(bytes((DATA,)) + piece)
    patience.end()


async def _receive(
    socket: HttpSocket, writer: asyncio.StreamWriter, used: Callable[[], None], patience: _Patience
) -> str:
    greeted: set[int] = set()
    while (message := await patience.receive(socket)) is not None:
        channel, data = message[:1], message[1:]
        if not channel or channel[0] not in {DATA, ERROR}:
            continue
        if channel[0] not in greeted:  # the number of the port
            greeted.add(channel[0])
            data = data[2:]
        if not data:
            continue
        if channel[0] == ERROR:
            return shown_message(data.decode("utf-8", "replace"))
        used()
        try:
            writer.write(data)
            await writer.drain()
        except OSError:
            return ""
    return ""
