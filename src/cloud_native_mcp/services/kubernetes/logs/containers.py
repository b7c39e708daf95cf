"""Which containers of a pod have a log, and what the pod's status says about each.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ContainerStatus
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.pods import ready_count
from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.describe.facts import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALL: Final = "*"
DEFAULT_CONTAINER: Final = "kubectl.kubernetes.io/default-container"
_PARTS: Final = (
    ("initContainers", "initContainerStatuses"),
    ("containers", "containerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """One container, and what its pod's status says about it.

    Attributes:
        state: ``running since 3m``, ``waiting CrashLoopBackOff``, ``terminated Error exit 1 5m ago``.
        last_exit: how it ended before its last start, or empty.
        silent: why it has no log yet (never started); empty when it has one.
        has_previous: whether it ran before its last start.
    """

    namespace: str
    pod: str
    container: str
    node: str
    restarts: int
    state: str
    last_exit: str
    silent: str
    has_previous: bool

    @property
    def label(self) -> str:
        """``pod/container``."""
        return f"{self.pod}/{self.container}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The containers to read of some pods, and the names of those left aside in the first pod."""

    sources: Sequence[Source]
    others: Sequence[str]


def by_need(pods: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Pods that are not ready first, then the newest first."""
    newest = sorted(pods, key=lambda pod: as_str(dig(pod, "metadata", "creationTimestamp")), reverse=True)
    return sorted(newest, key=lambda pod: len(set(ready_count(pod))) == 1)


def choose(pods: Sequence[dict[str, object]], wanted: str) -> Chosen:
    """The containers of pods that a caller means: the default one, one by name, or all (``*``).

    Raises:
        BackendError: ``not_found``, when no pod has a container of that name; near names given.
    """
    sources: list[Source] = []
    known: dict[str, None] = {}
    for pod in pods:
        names = container_names(pod)
        known |= dict.fromkeys(names)
        chosen = names if wanted == ALL else [wanted or default_container(pod)]
        sources += [source_of(pod, name) for name in chosen if name in names]
    if not sources and known:
        near = nearest(wanted, known) or list(known)
        text = f"no container {wanted!a} in {_pods(pods)}; containers: {', '.join(near)}"
        raise BackendError("not_found", text, kind="fix", status=404)
    read = {source.container for source in sources}
    return Chosen(sources, [name for name in known if name not in read])


def container_names(pod: Mapping[str, object]) -> list[str]:
    """Init, ordinary and ephemeral containers, in this order."""
    return [as_str(dig(c, "name")) for part, _ in _PARTS for c in as_list(dig(pod, "spec", part))]


def default_container(pod: Mapping[str, object]) -> str:
    """The container of the annotation, else the first ordinary one."""
    named = as_str(as_dict(dig(pod, "metadata", "annotations")).get(DEFAULT_CONTAINER))
    ordinary = [as_str(dig(c, "name")) for c in as_list(dig(pod, "spec", "containers"))]
    return named if named in container_names(pod) else (ordinary or [""])[0]


def source_of(pod: Mapping[str, object], container: str) -> Source:
    """What the status says about one container."""
    statuses = [as_dict(s) for _, part in _PARTS for s in as_list(dig(pod, "status", part))]
    status = as_dict(next((s for s in statuses if s.get("name") == container), None))
    state, ended = as_dict(status.get("state")), as_dict(dig(status, "lastState", "terminated"))
    restarts = as_int(status.get("restartCount"))
    return Source(
        namespace=as_str(dig(pod, "metadata", "namespace")),
        pod=as_str(dig(pod, "metadata", "name")),
        container=container,
        node=as_str(dig(pod, "spec", "nodeName")),
        restarts=restarts,
        state=_state(state) or "not started",
        last_exit=_exit(ended) if ended else "",
        silent=_silent(pod, state, ended),
        has_previous=bool(ended) or restarts > 0,
    )


def refuse_silent(source: Source, *, previous: bool) -> None:
    """Refuse what the status alone tells to have no log.

    Raises:
        ToolError: ``no_previous`` or ``container_waiting``.
    """
    where = f"container {source.container} of pod {source.pod}"
    if previous and not source.has_previous:
        raise ToolError("no_previous", f"{where} has not been restarted ({source.state}); leave out previous")
    if not previous and source.silent:
        raise ToolError("container_waiting", f"{where} has no log yet: {source.silent}", kind="final")


def _silent(pod: Mapping[str, object], state: Mapping[str, object], ended: Mapping[str, object]) -> str:
    """Why a container that never started has not."""
    if ended or "running" in state or "terminated" in state:
        return ""
    waiting = as_dict(state.get("waiting"))
    if reason := as_str(waiting.get("reason")):
        message = show(waiting.get("message"))
        return f"{reason}: {message}" if message else reason
    if not dig(pod, "spec", "nodeName"):
        conditions = [as_dict(c) for c in as_list(dig(pod, "status", "conditions"))]
        why = next((show(c.get("message")) for c in conditions if c.get("type") == "PodScheduled"), "")
        return f"the pod is not scheduled: {why}" if why else "the pod is not scheduled"
    reason = as_str(dig(pod, "status", "reason")) or as_str(dig(pod, "status", "phase"), "Unknown")
    return f"it was not started; pod {reason}"


def _state(state: Mapping[str, object]) -> str:
    """A container's state without the words of others."""
    for name, value in state.items():
        detail = as_dict(value)
        if name == "terminated":
            return f"terminated {_exit(detail)}"
        if name == "running":
            started = age(detail.get("startedAt"))
            return f"running since {started}" if started else "running"
        return f"{name} {as_str(detail.get('reason'))}".strip()
    return ""


def _exit(ended: Mapping[str, object]) -> str:
    """``Error exit 1 5m ago``."""
    when = age(ended.get("finishedAt"))
    parts = (as_str(ended.get("reason")), f"exit {as_int(ended.get('exitCode'))}", f"{when} ago" if when else "")
    return " ".join(filter(None, parts))


def _pods(pods: Sequence[Mapping[str, object]]) -> str:
    first = as_str(dig(pods[0], "metadata", "name")) if pods else ""
    return f"pod {first}" if len(pods) == 1 else f"pod {first} and {len(pods) - 1} more"
