"""Commands run in containers, over the channels of a WebSocket.

Each message begins with the number of its channel; the last one, on channel 3, is a Status that holds the exit code.
Facts: https://github.com/kubernetes/kubernetes/tree/v1.37.0/staging/src/k8s.io/apimachinery/pkg/util/remotecommand and
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-connect-get-requests-to-exec-of-pod
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from cloud_native_mcp.backends.kubernetes.status import Status, shown_message
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpSocket

V5: Final = "v5.channel.k8s.io"
V4: Final = "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
KEPT_AT_EACH_END: Final = 32_000
MOST_BYTES: Final = 16_000_000
"""Of output in all; the stream is closed beyond it."""
_STDIN_PIECE: Final = 32_000
_AFTER_STATUS_S: Final = 5.0
"""How long output may come after the status; the server closes the connection behind the last of it."""
_EXIT_CODE: Final = re.compile(r"(?:exit status|exit code) (\d{1,3})$")
_NOT_STARTED: Final = re.compile(
    r"executable file not found|no such file or directory|permission denied|exec format error"
)
End = Literal["exit", "failed", "timeout", "broken", "too_much"]


@dataclass(slots=True)
class Output:
    """What came of one stream: its beginning and its end; what came in between was dropped."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add(self, data: bytes) -> None:
        """Take a further piece."""
        self.size += len(data)
        room = KEPT_AT_EACH_END - len(self.head)
        self.head += data[:room]
        self.tail += data[room:] if room < len(data) else b""
        if len(self.tail) > 2 * KEPT_AT_EACH_END:
            del self.tail[:-KEPT_AT_EACH_END]

    @property
    def dropped(self) -> bool:
        """Whether something between head and tail is gone."""
        return self.size > len(self.head) + len(self.tail)


@dataclass(slots=True)
class Execution:
    """How a command went.

    Attributes:
        end: ``exit`` (its code is known), ``failed`` (the cluster says why it could not be run), ``timeout``,
            ``broken`` (the connection ended without a status), or ``too_much`` output.
        message: the cluster's words about a failure, cleaned and masked.
        seconds: from opening the stream to its end.
    """

    stdout: Output = field(default_factory=Output)
    stderr: Output = field(default_factory=Output)
    end: End = "broken"
    exit_code: int | None = None
    message: str = ""
    seconds: float = 0.0

    @property
    def not_started(self) -> bool:
        """Whether the container runtime says that there is no such program, or that it may not be run."""
        return self.end == "failed" and _NOT_STARTED.search(self.message) is not None

    def take_status(self, data: bytes) -> None:
        """Read the Status at the end."""
        try:
            status = msgspec.json.decode(data, type=_Ended)
        except msgspec.DecodeError:
            self.end, self.message = "failed", shown_message(data.decode("utf-8", "replace"))
            return
        if status.status == "Success":
            self.end, self.exit_code = "exit", 0
            return
        causes = status.details.causes if status.details else []
        told = next((cause.message for cause in causes if cause.reason == "ExitCode"), "")
        # Kubelets that are none (virtual nodes) tell the exit code in words only.
        words = None if told else _EXIT_CODE.search(status.message)
        code = told or (words[1] if words else "")
        if code.isdecimal() and code.isascii():
            self.end, self.exit_code = "exit", int(code)
        else:
            self.end, self.message = "failed", shown_message(status.message)


class _Ended(Status, frozen=True, gc=False):
    """The Status of a command; ``status`` is ``Success`` or ``Failure``."""

    status: str = ""


async def execute(
    client: KubernetesClient,
    pods: Resource,
    pod: str,
    container: str,
    command: Sequence[str],
    *,
    namespace: str,
    stdin: bytes | None,
    opening: Deadline,
    seconds: float,
) -> Execution:
    """Run a command and read its output until it ends, or for so many seconds.

    Closing the connection does not end the process in the container where the time is over.

    Args:
        stdin: sent whole, then its end; None gives the command none.
        opening: until when the stream must be open.

    Raises:
        KubernetesError: refused (``forbidden``, ``not_found``), or ``rejected`` with the kubelet's words.
        BackendError: ``unsupported``, when the cluster cannot tell a command that its input has ended.
    """
    params = [
        *(("command", word) for word in command),
        ("container", container),
        ("stdout", "true"),
        ("stderr", "true"),
        *([("stdin", "true")] if stdin is not None else []),
    ]
    path = pods.path(namespace=namespace, name=pod, subresource="exec")
    what = f"run a command in pods {pod} of {namespace}"
    started = time.monotonic()
    execution = Execution()
    # Only v5 can close the input; a command that waits for its end would hang with v4.
    protocols = [V5] if stdin is not None else [V5, V4]
    async with client.socket(path, what=what, deadline=opening, protocols=protocols, params=params) as socket:
        async with _sending(socket, stdin):
            try:
                async with asyncio.timeout(seconds):
                    await _read(socket, execution)
            except TimeoutError:
                execution.end = "timeout"
        execution.seconds = time.monotonic() - started
    return execution


async def feed(
    client: KubernetesClient,
    pods: Resource,
    pod: str,
    container: str,
    stdin: bytes,
    *,
    namespace: str,
    opening: Deadline,
) -> None:
    """Attach to a container that takes its input once (``stdinOnce``), send it, and stay until the server closes.

    With v4 the end of the input is told by closing the connection.

    Raises:
        KubernetesError: refused.
    """
    params = [("container", container), ("stdin", "true")]
    path = pods.path(namespace=namespace, name=pod, subresource="attach")
    what = f"attach to pods {pod} of {namespace}"
    async with client.socket(path, what=what, deadline=opening, protocols=[V5, V4], params=params) as socket:
        await _send(socket, stdin)
        while socket.protocol == V5 and await socket.receive() is not None:
            pass


@contextlib.asynccontextmanager
async def _sending(socket: HttpSocket, stdin: bytes | None) -> AsyncGenerator[None]:
    """Send the input while output is read; a command that ends before it has read all is no fault."""
    if stdin is None:
        yield
        return
    task = asyncio.create_task(_send_what_is_taken(socket, stdin))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _send_what_is_taken(socket: HttpSocket, stdin: bytes) -> None:
    with contextlib.suppress(BackendError):
        await _send(socket, stdin)


async def _send(socket: HttpSocket, stdin: bytes) -> None:
    for start in range(0, len(stdin), _STDIN_PIECE):
        await socket.send(bytes((STDIN,)) + stdin[start : start + _STDIN_PIECE])
    if socket.protocol == V5:
        await socket.send(bytes((CLOSE, STDIN)))


async def _read(socket: HttpSocket, execution: Execution) -> None:
    """Take messages until the server closes; after the status no longer than it needs for the last output."""
    outputs = {STDOUT: execution.stdout, STDERR: execution.stderr}
    rest = asyncio.timeout(None)
    try:
        async with rest:
            while (message := await socket.receive()) is not None:
                channel, data = message[:1], message[1:]
                if data and channel[0] == ERROR:
                    execution.take_status(data)
                    rest.reschedule(asyncio.get_running_loop().time() + _AFTER_STATUS_S)
                elif data and channel[0] in outputs:
                    outputs[channel[0]].add(data)
                    if execution.stdout.size + execution.stderr.size > MOST_BYTES:
                        execution.end = "too_much"
                        return
    except TimeoutError:
        if not rest.expired():
            raise
