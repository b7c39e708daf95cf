"""A container made to run one command: awaited by its pod's status, its output read as its log.

Sources: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states and
https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.exec_stream import MOST_BYTES, Execution, feed
from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.watch import follow
from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.describe.facts import show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.execution.request import Request

IMAGE_PULL: Final = "image_pull"
_PULL_REASONS: Final = frozenset(
    ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
)
_START_REASONS: Final = frozenset(
    ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff")
)
_STATUSES: Final = ("containerStatuses", "ephemeralContainerStatuses")
_SECURITY: Final[Mapping[str, object]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
NOBODY: Final = 65_532
"""A user without rights: images that would run as root are refused otherwise."""


@dataclass(frozen=True, slots=True)
class NewContainer:
    """Where the new container is."""

    client: KubernetesClient
    pods: Resource
    namespace: str
    pod: str
    container: str

    @property
    def label(self) -> str:
        """How answers name it."""
        return f"container {self.container} of pod {self.pod} in {self.namespace}"


def container_spec(name: str, image: str, request: Request, *, user: int = NOBODY) -> dict[str, object]:
    """The container under the Restricted standard: no root, no capability, no way to gain either.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    spec: dict[str, object] = {
        "name": name,
        "image": image,
        "command": list(request.command),
        "securityContext": {**_SECURITY, "runAsUser": user},
    }
    return spec | ({"stdin": True, "stdinOnce": True} if request.stdin is not None else {})


async def run_to_end(new: NewContainer, request: Request, deadline: Deadline) -> Execution:
    """Wait until the container has ended or the time is over, then read what it wrote.

    A container's log holds standard output and standard error in one, which is answered as ``stdout``.

    Raises:
        ToolError: ``image_pull``; ``container_not_running``, when it cannot be started; ``not_found``, when the pod
            goes away meanwhile.
    """
    execution = Execution(end="timeout")
    started = time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(request.seconds):
            await _ended(new, request, execution, deadline)
    execution.seconds = time.monotonic() - started
    await _read_log(new, execution, deadline)
    return execution


async def _ended(new: NewContainer, request: Request, execution: Execution, deadline: Deadline) -> None:
    """Follow the pod until the container has terminated; send the input once it runs."""
    query = ListQuery(new.namespace, field_selector=f"metadata.name={new.pod}")
    feeding: asyncio.Task[None] | None = None
    try:
        async with contextlib.aclosing(follow(new.client, new.pods, query, deadline=deadline)) as states:
            async for objects in states:
                pod = next(iter(objects.values()), None)
                if pod is None:
                    raise BackendError("not_found", f"pod {new.pod} was deleted before its command ended", status=404)
                state = _state(pod, new.container)
                if _take_end(new, pod, state, execution):
                    return
                if feeding is None and request.stdin is not None and "running" in state:
                    feeding = asyncio.create_task(_feed(new, request.stdin, execution, deadline))
    finally:
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


async def _feed(new: NewContainer, stdin: bytes, execution: Execution, deadline: Deadline) -> None:
    """Send the input; what goes wrong is told with the answer."""
    try:
        await feed(new.client, new.pods, new.pod, new.container, stdin, namespace=new.namespace, opening=deadline)
    except ToolError as error:
        execution.message = f"standard input was not sent: {error.text}"


def _take_end(new: NewContainer, pod: Mapping[str, object], state: Mapping[str, object], execution: Execution) -> bool:
    """Whether the container has ended; raises when it never will start."""
    if ended := as_dict(state.get("terminated")):
        execution.end, execution.exit_code = "exit", as_int(ended.get("exitCode"))
        reason, message = as_str(ended.get("reason")), show(ended.get("message"))
        if reason not in {"", "Completed", "Error"} or message:
            execution.message = ": ".join(filter(None, (reason, message)))
        if reason in {"ContainerCannotRun", "StartError"}:
            execution.end, execution.exit_code = "failed", None
        return True
    waiting = as_dict(state.get("waiting"))
    reason, words = as_str(waiting.get("reason")), show(waiting.get("message"))
    if reason in _PULL_REASONS:
        raise ToolError(IMAGE_PULL, f"{new.label}: {reason}: {words}", kind="fix")
    if reason in _START_REASONS:
        raise ToolError("container_not_running", f"{new.label} cannot be started: {reason}: {words}", kind="final")
    if as_str(dig(pod, "status", "phase")) == "Failed":
        why = show(dig(pod, "status", "message")) or as_str(dig(pod, "status", "reason"))
        execution.end, execution.message = "failed", why or "the pod failed"
        return True
    return False


def _state(pod: Mapping[str, object], container: str) -> Mapping[str, object]:
    statuses = [as_dict(one) for field in _STATUSES for one in as_list(dig(pod, "status", field))]
    return as_dict(next((one.get("state") for one in statuses if one.get("name") == container), None))


async def _read_log(new: NewContainer, execution: Execution, deadline: Deadline) -> None:
    """The container's log; one that cannot be read is told of, with the exit code still known."""
    path = new.pods.path(namespace=new.namespace, name=new.pod, subresource="log")
    what = f"read the output of pods {new.pod} in {new.namespace}"
    params = [("container", new.container), ("limitBytes", str(MOST_BYTES))]
    try:
        async with new.client.stream(path, deadline=deadline, what=what, params=params, max_bytes=MOST_BYTES) as parts:
            async for part in parts:
                execution.stdout.add(part)
    except BackendError as error:
        if execution.end != "timeout" or execution.stdout.size:
            execution.message = "; ".join(filter(None, (execution.message, f"output not read: {error.text}")))
