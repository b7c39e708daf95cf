"""The ends of the logs of containers that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloud_native_mcp.contract.result import Text
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.logs.choice import Choice, choose_lines
from cloud_native_mcp.services.kubernetes.logs.containers import Source
from cloud_native_mcp.services.kubernetes.logs.reading import Wanted, read_container
from cloud_native_mcp.services.kubernetes.logs.text import Style, newest_within
from cloud_native_mcp.services.kubernetes.workloads import pod_resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_native_mcp.services.kubernetes.diagnosis.shapes import ContainerStatus, Pod
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

MOST_CONTAINERS: Final = 3
LINES: Final = 15
_SCANNED: Final = 500
_BYTES: Final = 2_500
"""Of one log."""


class Failing(NamedTuple):
    """A container that fails, and whether what it said is in the log before its last start."""

    pod: Pod
    status: ContainerStatus
    previous: bool


def failing(pods: Iterable[Pod], survey: Survey) -> list[Failing]:
    """One pod for each container that fails, at most `MOST_CONTAINERS`; those that do not run come first."""
    found: dict[str, tuple[int, Failing]] = {}
    for pod in pods:
        for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
            rank = _rank(status, survey)
            if rank is not None and (status.name not in found or rank < found[status.name][0]):
                previous = status.state.terminated is None and status.last_state.terminated is not None
                found[status.name] = (rank, Failing(pod, status, previous))
    ordered = sorted(found.values(), key=lambda one: one[0])
    return [one for _, one in ordered[:MOST_CONTAINERS]]


def _rank(status: ContainerStatus, survey: Survey) -> int | None:
    """How badly a container does; None when it is well or has no log."""
    ended, before = status.state.terminated, status.last_state.terminated
    if ended is not None:
        return 0 if ended.exit_code or ended.signal else None
    if before is not None and (status.state.waiting is not None or (before.when or survey.since) >= survey.since):
        return 0 if status.state.waiting is not None else 2
    if status.state.waiting is None and not status.ready:
        return 1
    return None


async def log_ends(survey: Survey, containers: Sequence[Failing]) -> tuple[list[Text], list[str]]:
    """The last error lines of each log (its last lines where it tells of none), and a line for each without a log."""
    pods = await pod_resource(survey.reader.client, survey.reader.deadline)
    blocks: list[Text] = []
    failed: list[str] = []
    for one in containers:
        source = _source(one)
        wanted = Wanted(_SCANNED, None, one.previous, survey.reader.deadline)
        try:
            read = await read_container(survey.reader.client, pods, source, wanted)
        except ToolError as error:
            failed.append(f"log of {source.label}: {error.code}: {error.text}")
            continue
        kept = await choose_lines(read, Choice("errors", LINES, None))
        what = "last error lines" if kept.lines else "last lines"
        lines = kept.lines or read.lines[-LINES:]
        if lines:
            before = ", before its last start" if one.previous else ""
            text = newest_within([lines], Style([""], timestamps=False), _BYTES).text
            title = f"Log of {source.label}{before}, {what}:"
            blocks.append(Text(text, title=title, untrusted=True, source=f"log of {source.label}", keep="tail"))
    return blocks, failed


def _source(one: Failing) -> Source:
    meta = one.pod.metadata
    return Source(
        namespace=meta.namespace,
        pod=meta.name,
        container=one.status.name,
        node=one.pod.spec.node_name,
        restarts=one.status.restart_count,
        state="",
        last_exit="",
        silent="",
        has_previous=one.previous,
    )
