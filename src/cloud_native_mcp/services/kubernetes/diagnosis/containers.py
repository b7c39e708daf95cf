"""What is wrong with one container, read from its state.

Source: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.kubernetes.diagnosis.exit_codes import explained
from cloud_native_mcp.services.kubernetes.diagnosis.finding import tool_call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.services.kubernetes.diagnosis.shapes import ContainerStatus, Terminated

OOM: Final = "OOMKilled"
OFTEN: Final = 3
"""Restarts from which on a container that runs again is still a trouble."""
_IMAGE: Final = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"),
        *("RegistryUnavailable", "SignatureValidationFailed"),
    }
)
_STARTING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
_PULLING: Final[Sequence[tuple[re.Pattern[str], str]]] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (
            r"unauthorized|denied|authentication required|no basic auth|forbidden",
            "the registry refuses the credentials",
        ),
        (r"toomanyrequests|rate limit|429", "the registry limits how often it is asked"),
        (r"no match for platform|no matching manifest", "the image is not made for this kind of processor"),
        (r"no such host|timeout|connection refused|unreachable|x509|tls:|eof\b", "the registry is out of reach"),
        (r"not found|manifest unknown|does not exist", "there is no such image or tag"),
        (r"no space left", "the node's disk is full"),
    )
)
_MISSING: Final = re.compile(r"not found|couldn't find key|non-existent config key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing wrong with a pod or one of its containers.

    Attributes:
        part: the container, or another detail that keeps troubles of one code apart.
        stops: the pod does not serve because of it. How grave that is depends on its fellows.
        minor: no trouble any more, only worth knowing.
    """

    code: str
    part: str
    cause: str
    evidence: str
    next: str
    since: datetime | None = None
    stops: bool = True
    minor: bool = False


def container_troubles(
    pod: ObjectMeta, status: ContainerStatus, window: datetime, *, init: bool = False
) -> Iterator[Trouble]:
    """What is wrong with a container of a pod.

    Args:
        window: an exit before it is minor, when the container runs again.
        init: it is one of those that must end well before the others start.
    """
    waiting, ended = status.state.waiting, status.state.terminated
    if waiting is not None and waiting.reason not in _STARTING:
        yield _waiting(pod, status, init=init)
    elif ended is not None and (ended.exit_code or ended.signal):
        yield _ended(pod, status, ended, "state.terminated", init=init)
    elif waiting is None and ended is None and status.last_state.terminated is not None:
        yield from _running_again(pod, status, status.last_state.terminated, window)


def log_call(pod: ObjectMeta, container: str, *, previous: bool) -> str:
    """The call that reads the log of a container."""
    before = "true" if previous else ""
    return tool_call("logs", name=pod.name, namespace=pod.namespace, container=container, previous=before)


def event_call(pod: ObjectMeta) -> str:
    """The call that lists the events of a pod."""
    return tool_call("events", kind="pod", name=pod.name, namespace=pod.namespace)


def pull_cause(message: str, image: str = "") -> str:
    """Why an image is not there, in words."""
    found = next((words for pattern, words in _PULLING if pattern.search(message)), "the image cannot be pulled")
    return f"{found}: {image}" if image else found


def _waiting(pod: ObjectMeta, status: ContainerStatus, *, init: bool) -> Trouble:
    waiting = status.state.waiting
    reason, message = (waiting.reason, waiting.message) if waiting else ("", "")
    ended = status.last_state.terminated
    if reason == "CrashLoopBackOff" and ended is not None:
        return _ended(pod, status, ended, "lastState.terminated", init=init)
    where = f"{_path(status.name, init=init)}.state.waiting: {reason}"
    evidence = f"{where}: {message}" if message else where
    if reason == "CrashLoopBackOff":
        code = "init_failing" if init else "crash_loop"
        return Trouble(
            code, status.name, "it ends again and again", evidence, log_call(pod, status.name, previous=True)
        )
    if reason in _IMAGE:
        cause = "the name of the image is malformed" if reason == "InvalidImageName" else pull_cause(message)
        return Trouble("image_pull", status.name, f"container {status.name}: {cause}", evidence, event_call(pod))
    if reason == "CreateContainerConfigError" and _MISSING.search(message):
        cause = f"container {status.name} needs a ConfigMap, Secret or key that does not exist"
        return Trouble("config_missing", status.name, cause, evidence, event_call(pod))
    code = "config_error" if reason == "CreateContainerConfigError" else "start_failed"
    return Trouble(code, status.name, f"container {status.name} cannot be started", evidence, event_call(pod))


def _ended(pod: ObjectMeta, status: ContainerStatus, ended: Terminated, path: str, *, init: bool) -> Trouble:
    """A container that does not run now because it ended."""
    words = explained(ended.exit_code, ended.reason, ended.signal)
    often = f", {status.restart_count} restarts" if status.restart_count else ""
    code = "oom_killed" if ended.reason == OOM else "init_failing" if init else "crash_loop"
    if code == "crash_loop" and not status.restart_count and path.startswith("state"):
        code = "exited"
    sort = "init container" if init else "container"
    return Trouble(
        code,
        status.name,
        f"{sort} {status.name}: {words}{often}",
        _exit_evidence(status, ended, path, init=init),
        log_call(pod, status.name, previous=path.startswith("last")),
        ended.when,
    )


def _running_again(pod: ObjectMeta, status: ContainerStatus, ended: Terminated, window: datetime) -> Iterator[Trouble]:
    """A container that runs, but ended before."""
    if not ended.exit_code and not ended.signal:
        return
    recent = ended.when is not None and ended.when >= window
    oom = ended.reason == OOM
    words = explained(ended.exit_code, ended.reason, ended.signal)
    yield Trouble(
        "oom_killed" if oom else "restarts",
        status.name,
        f"container {status.name} runs again after {words}; {status.restart_count} restarts",
        _exit_evidence(status, ended, "lastState.terminated", init=False),
        log_call(pod, status.name, previous=True),
        ended.when,
        stops=False,
        minor=not recent or (not oom and status.restart_count < OFTEN),
    )


def _exit_evidence(status: ContainerStatus, ended: Terminated, path: str, *, init: bool) -> str:
    parts = (ended.reason, f"exitCode {ended.exit_code}", ended.message)
    return f"{_path(status.name, init=init)}.{path}: {', '.join(filter(None, parts))}"


def _path(container: str, *, init: bool) -> str:
    return f"status.{'initContainerStatuses' if init else 'containerStatuses'}[{container}]"
