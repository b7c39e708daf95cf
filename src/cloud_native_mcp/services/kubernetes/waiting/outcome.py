"""Waits for objects with a watch, and says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.watch import follow
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Block, Table
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.kubernetes.rollouts.slow_pods import slow_pods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.lists import ListQuery
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Progress
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.waiting.states import Verdict, Wanted

MOST_OBJECTS: Final = 50
_REPORT_EVERY_S: Final = 1.0
_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})


@dataclass(frozen=True, slots=True)
class Waited:
    """How waiting ended.

    Attributes:
        met: whether every object is in the wanted state.
        impossible: why it can never be met, when that is so.
        seconds: how long it took.
        states: the state of each object by name.
        lagging: objects that are not there yet.
    """

    met: bool
    impossible: str
    seconds: float
    states: Mapping[str, str]
    lagging: Sequence[Mapping[str, object]] = ()

    @property
    def sentence(self) -> str:
        """How it ended, in words."""
        if self.met:
            return f"met after {self.seconds:.0f} s"
        return f"impossible: {self.impossible}" if self.impossible else f"not met within {self.seconds:.0f} s"


async def wait_until(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    wanted: Wanted,
    *,
    seconds: float,
    deadline: Deadline,
    progress: Progress,
) -> Waited:
    """Follow the selected objects until all are in the wanted state, one never can be, or the time is over.

    Raises:
        InvalidArgument: more than `MOST_OBJECTS` objects are selected.
        BackendError: they cannot be listed or watched.
    """
    started = time.monotonic()
    report = _Report(progress)
    waited = Waited(met=False, impossible="", seconds=0, states={})
    seen = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async with contextlib.aclosing(follow(client, resource, query, deadline=deadline)) as changes:
                async for objects in changes:
                    if len(objects) > MOST_OBJECTS:
                        raise InvalidArgument("label_selector", f"selects more than {MOST_OBJECTS} objects; narrow it")
                    waited = _judged(
                        resource, list(objects.values()), wanted, seen=seen, seconds=time.monotonic() - started
                    )
                    seen = seen or bool(objects)
                    if waited.met or waited.impossible:
                        return waited
                    await report(waited)
    return Waited(waited.met, waited.impossible, time.monotonic() - started, waited.states, waited.lagging)


async def reasons(client: KubernetesClient, resource: Resource, waited: Waited, *, deadline: Deadline) -> list[Block]:
    """What holds the first lagging workload up: its pods that are not ready."""
    if waited.met or resource.kind not in _WORKLOADS or not waited.lagging:
        return []
    return await slow_pods(client, resource, waited.lagging[0], deadline=deadline)


def state_table(waited: Waited) -> Table:
    """The state of each object."""
    rows = [(name, state) for name, state in sorted(waited.states.items())]
    return Table(("NAME", "STATE"), rows, untrusted=True, source="states")


def _judged(
    resource: Resource, objects: Sequence[Mapping[str, object]], wanted: Wanted, *, seen: bool, seconds: float
) -> Waited:
    verdicts: list[tuple[Mapping[str, object], Verdict]] = [(obj, wanted.judge(resource, obj)) for obj in objects]
    states = {as_str(dig(obj, "metadata", "name")): verdict.state for obj, verdict in verdicts}
    if wanted.absent:
        return Waited(not objects, "", seconds, states, list(objects))
    gone = "the object is gone" if seen and not objects and wanted.text != "exists" else ""
    impossible = next((verdict.impossible for _, verdict in verdicts if verdict.impossible and not verdict.met), gone)
    met = bool(verdicts) and all(verdict.met for _, verdict in verdicts)
    return Waited(met, impossible, seconds, states, [obj for obj, verdict in verdicts if not verdict.met])


class _Report:
    """Tells the caller of each change of the states, at most once a second."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last = 0.0
        self._told: Mapping[str, str] | None = None

    async def __call__(self, waited: Waited) -> None:
        now = time.monotonic()
        if waited.states == self._told or now - self._last < _REPORT_EVERY_S:
            return
        self._last, self._told = now, waited.states
        total = len(waited.states)
        first = next(iter(waited.states.items()), ("", "nothing there yet"))
        await self._progress(total - len(waited.lagging), total, ": ".join(part for part in first if part))
