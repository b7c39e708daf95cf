"""Use by pod, container, workload and namespace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.kubernetes.quantities import show_cpu, show_memory, show_share
from cloud_native_mcp.services.kubernetes.resource_use.owners import workloads_of
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried
from cloud_native_mcp.services.kubernetes.resource_use.pods import pods_needs
from cloud_native_mcp.services.kubernetes.resource_use.rows import (
    USE_COLUMNS,
    Amount,
    Row,
    View,
    total,
    total_bound,
    use_cells,
    use_fits,
    use_order,
)
from cloud_native_mcp.services.kubernetes.resource_use.samples import Samples, samples_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.lists import ListQuery
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.kubernetes.resource_use.pods import PodNeeds

SORTS: Final = ("memory", "cpu", "cpu_ratio", "memory_ratio", "restarts")
SHOWS: Final = frozenset({"near_limit", "idle", "overprovisioned", "no_requests"})
SUGGESTED: Final = frozenset({"near_limit", "overprovisioned", "no_requests"})
"""Choices of rows that get a column with requests to consider."""
HEADROOM: Final = 2.0
_SUGGESTION: Final = f"SUGGESTED requests are {HEADROOM:.0f}x the use of this one sample, per pod: a rough start"


@dataclass(frozen=True, slots=True)
class Measured:
    """Pods with what they use."""

    pods: Sequence[PodNeeds]
    samples: Samples

    def use(self, pod: PodNeeds) -> Amount:
        """What the pod uses; unknown without a sample."""
        return self.samples.total.get(pod.key, Amount())

    @property
    def partial(self) -> list[str]:
        """That there are no samples, when it is so."""
        return [self.samples.failed] if self.samples.failed else []

    def notes(self, *, suggest: bool) -> list[str]:
        """Sums over all pods, when they were sampled, what suggestions mean."""
        placed = [pod for pod in self.pods if pod.node]
        use = total(self.use(pod) for pod in placed)
        request, limit = total(pod.request for pod in placed), total(pod.limit for pod in placed)
        sums = (
            f"sum of {len(placed)} scheduled pods: CPU {show_cpu(use.cpu)} used, {show_cpu(request.cpu)} requested, "
            f"{show_cpu(limit.cpu)} limits; memory {show_memory(use.memory)} used, {show_memory(request.memory)} "
            f"requested, {show_memory(limit.memory)} limits"
        )
        if unlimited := sum(1 for pod in placed if None in pod.limit):
            sums += f" (without CPU or memory limit: {unlimited})"
        if waiting := len(self.pods) - len(placed):
            sums += f"; not scheduled: {waiting} pods"
        return [sums, *filter(None, (self.samples.about,)), *([_SUGGESTION] if suggest else [])]


async def measure(client: KubernetesClient, query: ListQuery, *, deadline: Deadline) -> Measured:
    """Pods that are not finished, and their use."""
    pods = await pods_needs(client, query, deadline=deadline)
    return Measured(pods, await samples_of(client, "PodMetrics", query, deadline=deadline))


@dataclass(frozen=True, slots=True)
class _Taken:
    """What one row stands for uses, asks for and may use."""

    use: Amount
    request: Amount
    limit: Amount
    restarts: int
    lacks_requests: bool
    pods: int = 1

    def row(self, name: str, lead: Sequence[Cell], *, suggest: bool = False, end: Sequence[Cell] = ()) -> Row:
        """The row, with these cells before and after the numbers."""
        fits = use_fits(self.use, self.request, self.limit)
        if self.lacks_requests:
            fits.add("no_requests")
        order = use_order(self.use, self.request, self.limit)
        order["restarts"] = float(self.restarts)
        return Row(name, partial(self._cells, lead, end, suggest=suggest), order, frozenset(fits))

    def _cells(self, lead: Sequence[Cell], end: Sequence[Cell], *, suggest: bool) -> list[Cell]:
        cells = [*lead, *use_cells(self.use, self.request, self.limit), self.restarts, *end]
        if suggest:
            cpu, memory = (None if value is None else value * HEADROOM / self.pods for value in self.use)
            cells += [show_cpu(cpu), show_memory(memory)]
        return cells


async def pods_view(measured: Measured, *, across: bool, suggest: bool) -> View:
    """A row for each pod."""
    rows: list[Row] = []
    async for pod in unhurried(measured.pods):
        lead = (pod.namespace, pod.name) if across else (pod.name,)
        taken = _Taken(measured.use(pod), pod.request, pod.limit, pod.restarts, pod.lacks_requests)
        rows.append(taken.row(pod.name, lead, suggest=suggest))
    return _view(measured, ["POD"], rows, across=across, suggest=suggest)


async def containers_view(measured: Measured, *, across: bool, suggest: bool) -> View:
    """A row for each container that runs as long as its pod."""
    rows: list[Row] = []
    async for pod in unhurried(measured.pods):
        used = measured.samples.containers.get(pod.key, {})
        for one in pod.containers:
            lead = (pod.namespace, pod.name, one.name) if across else (pod.name, one.name)
            use = used.get(one.name, Amount())
            taken = _Taken(use, one.request, one.limit, one.restarts, None in one.request)
            rows.append(taken.row(f"{pod.name}/{one.name}", lead, suggest=suggest))
    return _view(measured, ["POD", "CONTAINER"], rows, across=across, suggest=suggest)


async def workloads_view(
    client: KubernetesClient, measured: Measured, namespace: str | None, *, suggest: bool, deadline: Deadline
) -> View:
    """A row for each workload, its pods together."""
    owners, failed = await workloads_of(client, measured.pods, namespace, deadline=deadline)
    groups: dict[tuple[str, str, str], list[PodNeeds]] = {}
    for pod in measured.pods:
        groups.setdefault(owners[pod.key], []).append(pod)
    across = namespace is None
    rows: list[Row] = []
    async for (place, kind, name), pods in unhurried(groups.items()):
        lead = [*([place] if across else []), f"{kind}/{name}", len(pods)]
        rows.append(_together(measured, pods).row(name, lead, suggest=suggest))
    view = _view(measured, ["WORKLOAD", "PODS"], rows, across=across, suggest=suggest)
    return replace(view, partial=[*view.partial, *failed])


async def namespaces_view(measured: Measured, namespace: str | None) -> View:
    """A row for each namespace, or for one, with its share of what all pods take: the larger of use and request."""
    groups: dict[str, list[PodNeeds]] = {}
    for pod in measured.pods:
        groups.setdefault(pod.namespace, []).append(pod)
    held = {name: _held(measured, pods) async for name, pods in unhurried(groups.items())}
    everything = total(held.values())
    rows: list[Row] = []
    async for name, pods in unhurried(groups.items()):
        if namespace in {None, name}:
            shares = [show_share(part, whole) for part, whole in zip(held[name], everything, strict=True)]
            rows.append(_together(measured, pods).row(name, [name, len(pods)], end=shares))
    columns = ["NAMESPACE", "PODS", *USE_COLUMNS, "RESTARTS", "CPU SHARE", "MEM SHARE"]
    about = "SHARE: of the larger of use and request of each scheduled pod, over all namespaces"
    return View(columns, rows, SORTS, SHOWS, [*measured.notes(suggest=False), about], measured.partial)


def _together(measured: Measured, pods: Sequence[PodNeeds]) -> _Taken:
    return _Taken(
        total(measured.use(pod) for pod in pods),
        total(pod.request for pod in pods),
        total_bound([pod.limit for pod in pods]),
        sum(pod.restarts for pod in pods),
        any(pod.lacks_requests for pod in pods),
        len(pods),
    )


def _held(measured: Measured, pods: Iterable[PodNeeds]) -> Amount:
    pairs = [(measured.use(pod), pod.request) for pod in pods if pod.node]
    return Amount(
        sum(max(use.cpu or 0.0, request.cpu or 0.0) for use, request in pairs),
        sum(max(use.memory or 0.0, request.memory or 0.0) for use, request in pairs),
    )


def _view(measured: Measured, names: Sequence[str], rows: Sequence[Row], *, across: bool, suggest: bool) -> View:
    columns = [*(["NAMESPACE"] if across else []), *names, *USE_COLUMNS, "RESTARTS"]
    columns += ["SUGGESTED CPU", "SUGGESTED MEM"] if suggest else []
    return View(columns, rows, SORTS, SHOWS, measured.notes(suggest=suggest), measured.partial)
