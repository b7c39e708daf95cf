"""What kubelets report of their node: file systems, volumes, network errors, pressure.

Source: https://kubernetes.io/docs/reference/config-api/kubelet-stats.v1alpha1/
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.status import KubernetesError
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.kubelet import is_unreachable, kubelet_unreachable
from cloud_native_mcp.services.kubernetes.quantities import show_cpu, show_memory, show_share
from cloud_native_mcp.services.kubernetes.resource_use.rows import IDLE_SHARE, NEAR, Row, View, share
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

PARALLEL: Final = 8
MOST_NODES: Final = 200
_MOST_BYTES: Final = 16_000_000


class FsStats(msgspec.Struct, gc=False, rename="camel"):
    """Use of a file system."""

    capacity_bytes: int | None = None
    available_bytes: int | None = None
    used_bytes: int | None = None
    inodes: int | None = None
    inodes_used: int | None = None

    @property
    def full(self) -> float | None:
        """Share of the capacity that is used."""
        return share(self.used_bytes, self.capacity_bytes)


class _PvcRef(msgspec.Struct, gc=False):
    name: str = ""
    namespace: str = ""


class VolumeStats(FsStats, gc=False, rename="camel"):
    """Use of a volume of a pod."""

    name: str = ""
    pvc_ref: _PvcRef | None = None


class _PsiData(msgspec.Struct, gc=False):
    avg60: float | None = None


class _Psi(msgspec.Struct, gc=False):
    some: _PsiData | None = None


class _Cpu(msgspec.Struct, gc=False, rename="camel"):
    usage_nano_cores: int | None = None
    psi: _Psi | None = None


class _Memory(msgspec.Struct, gc=False, rename="camel"):
    working_set_bytes: int | None = None
    psi: _Psi | None = None


class _Io(msgspec.Struct, gc=False):
    psi: _Psi | None = None


class _Network(msgspec.Struct, gc=False, rename="camel"):
    rx_errors: int | None = None
    tx_errors: int | None = None


class _Runtime(msgspec.Struct, gc=False, rename="camel"):
    image_fs: FsStats | None = None


class _NodeStats(msgspec.Struct, gc=False, rename="camel"):
    node_name: str = ""
    cpu: _Cpu | None = None
    memory: _Memory | None = None
    io: _Io | None = None
    network: _Network | None = None
    fs: FsStats | None = None
    runtime: _Runtime | None = None


class _PodRef(msgspec.Struct, gc=False):
    name: str = ""
    namespace: str = ""


class PodStats(msgspec.Struct, gc=False, rename="camel"):
    """Volumes of a pod."""

    pod_ref: _PodRef = msgspec.field(default_factory=_PodRef)
    volume: list[VolumeStats] | None = None


class Summary(msgspec.Struct, gc=False):
    """Answer of ``stats/summary``; only what is shown."""

    node: _NodeStats = msgspec.field(default_factory=_NodeStats)
    pods: list[PodStats] | None = None


@dataclass(frozen=True, slots=True)
class Summaries:
    """Summaries by node, and a line for each node that gave none."""

    found: Sequence[tuple[str, Summary]]
    failed: Sequence[str] = ()


async def summaries_of(
    client: KubernetesClient, nodes: Resource, names: Sequence[str], *, deadline: Deadline
) -> Summaries:
    """The summaries of some nodes, `PARALLEL` at a time.

    Raises:
        ToolError: of the first node when none answers; ``forbidden`` at once, as it holds for all.
    """
    seats = asyncio.Semaphore(PARALLEL)

    async def ask(name: str) -> Summary | ToolError:
        async with seats:
            try:
                return await _summary(client, nodes, name, deadline)
            except ToolError as error:
                return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(name)) for name in names[:MOST_NODES]]
    answers = [(name, task.result()) for name, task in zip(names, tasks, strict=False)]
    errors = [(name, answer) for name, answer in answers if isinstance(answer, ToolError)]
    for _, error in errors:
        if error.code == "forbidden":
            text = f"{error.text}; volumes and node_stats need get on nodes/proxy"
            raise BackendError("forbidden", text, status=403) from error
    if errors and len(errors) == len(answers):
        raise errors[0][1]
    failed = [f"{name}: {error.code}: {error.text}" for name, error in errors]
    if len(names) > MOST_NODES:
        failed.append(f"asked {MOST_NODES} of {len(names)} nodes, the most for one call; narrow by label_selector")
    return Summaries([(name, answer) for name, answer in answers if isinstance(answer, Summary)], failed)


async def _summary(client: KubernetesClient, nodes: Resource, name: str, deadline: Deadline) -> Summary:
    path = nodes.path(name=name, subresource="proxy/stats/summary")
    what = f"read stats of node {name}"
    try:
        response = await client.fetch(path, what=what, deadline=deadline, max_bytes=_MOST_BYTES)
    except KubernetesError as error:
        raise kubelet_unreachable(name, error) if is_unreachable(error) else error from error
    return decode_json(response, Summary, what=what, target=client.target)


def node_stats_view(summaries: Summaries) -> View:
    """A row for each node that answered."""
    columns = (
        *("NODE", "CPU", "MEM", "FS USED", "FS", "FS/CAP", "INODES", "IMAGES USED", "IMAGES/CAP"),
        *("RX ERRORS", "TX ERRORS", "PSI CPU", "PSI MEM", "PSI IO"),
    )
    rows = [_row(name, summary.node) for name, summary in summaries.found]
    notes = ["PSI: share of the last 60 s in which some task waited; - where the node reports none"]
    shows = frozenset({"near_limit", "idle"})
    return View(columns, rows, ("memory", "cpu", "disk"), shows, notes, summaries.failed)


def _row(name: str, node: _NodeStats) -> Row:
    fs, images = node.fs or FsStats(), (node.runtime.image_fs if node.runtime else None) or FsStats()
    cpu = node.cpu.usage_nano_cores / 1e9 if node.cpu and node.cpu.usage_nano_cores is not None else None
    memory = node.memory.working_set_bytes if node.memory else None
    network = node.network or _Network()
    cells = (
        name,
        show_cpu(cpu),
        show_memory(memory),
        show_memory(fs.used_bytes),
        show_memory(fs.capacity_bytes),
        show_share(fs.used_bytes, fs.capacity_bytes),
        show_share(fs.inodes_used, fs.inodes),
        show_memory(images.used_bytes),
        show_share(images.used_bytes, images.capacity_bytes),
        network.rx_errors,
        network.tx_errors,
        *(_pressure(part.psi if part else None) for part in (node.cpu, node.memory, node.io)),
    )
    shares = (fs.full, images.full, share(fs.inodes_used, fs.inodes))
    fits = {"near_limit"} if any(found is not None and found >= NEAR for found in shares) else set[str]()
    if fs.full is not None and fs.full < IDLE_SHARE:
        fits.add("idle")
    return Row(name, lambda: cells, {"cpu": cpu, "memory": memory, "disk": fs.used_bytes}, frozenset(fits))


def _pressure(psi: _Psi | None) -> str:
    average = psi.some.avg60 if psi and psi.some else None
    return "-" if average is None else f"{average:.1f}%"
