"""What is asked for and not used.

Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.auditing.unused import CLAIMS
from cloud_native_mcp.services.kubernetes.quantities import show_cpu, show_memory
from cloud_native_mcp.services.kubernetes.resource_use.owners import workloads_of
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried
from cloud_native_mcp.services.kubernetes.resource_use.pods import pods_needs
from cloud_native_mcp.services.kubernetes.resource_use.rows import LOW, Amount, total
from cloud_native_mcp.services.kubernetes.resource_use.samples import samples_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_native_mcp.services.kubernetes.reading import Reader
    from cloud_native_mcp.services.kubernetes.resource_use.owners import Workload
    from cloud_native_mcp.services.kubernetes.resource_use.pods import PodNeeds
    from cloud_native_mcp.services.kubernetes.resource_use.samples import Samples

LEAST_CPU: Final = 0.1
LEAST_MEMORY: Final = 128 * 2**20
"""Waste below this (100m, 128Mi) is not worth a row."""


async def cost(reader: Reader) -> list[Finding]:
    """Workloads that use little of their requests, or have none, and claims that no pod mounts."""
    query = ListQuery(reader.namespace)
    pods = [
        one for one in await pods_needs(reader.client, query, deadline=reader.deadline) if reader.shown(one.namespace)
    ]
    owners, failed = await workloads_of(reader.client, pods, reader.namespace, deadline=reader.deadline)
    reader.gaps += [f"cost: in part: {line}" for line in failed]
    samples = await samples_of(reader.client, "PodMetrics", query, deadline=reader.deadline)
    if samples.failed:
        code, _, text = samples.failed.partition(": ")
        reader.gap("cost", ToolError(code, f"{text}: requests are not compared with use"))
    together: dict[Workload, list[PodNeeds]] = {}
    for pod in pods:
        together.setdefault(owners[pod.key], []).append(pod)
    found: list[Finding] = []
    async for workload, some in unhurried(together.items()):
        found += _of_workload(workload, some, samples)
    mounted = {(pod.namespace, claim) for pod in pods for claim in pod.claims}
    for claim in await reader.optional(CLAIMS, "cost"):
        meta = claim.metadata
        if (meta.namespace, meta.name) not in mounted:
            where = named("PersistentVolumeClaim", meta.namespace, meta.name)
            why = "no running pod mounts it, its storage is kept"
            found.append(Finding("warning", "cost", "idle_claim", where, why, "save what is on it, then delete it"))
    return found


def _of_workload(workload: Workload, pods: Sequence[PodNeeds], samples: Samples) -> Iterator[Finding]:
    namespace, kind, name = workload
    where = named(kind, namespace, name)
    if any(pod.lacks_requests for pod in pods):
        why = "a container states no CPU or no memory request, so nodes are filled blindly"
        yield Finding("warning", "cost", "no_requests", where, why, "set requests near the usual use")
    measured = [pod for pod in pods if pod.key in samples.total]
    asked, used = total(pod.request for pod in measured), total(samples.total[pod.key] for pod in measured)
    if wasted := list(_wasted(asked, used)):
        why = f"{', '.join(wasted)} ({len(measured)} pods)"
        yield Finding(
            "warning", "cost", "overrequested", where, why, "lower the requests; see kubernetes_top over a day"
        )


def _wasted(asked: Amount, used: Amount) -> Iterator[str]:
    if asked.cpu and used.cpu is not None and used.cpu < LOW * asked.cpu and asked.cpu - used.cpu >= LEAST_CPU:
        yield f"uses {show_cpu(used.cpu)} of {show_cpu(asked.cpu)} CPU requested"
    wide = asked.memory is not None and used.memory is not None and asked.memory - used.memory >= LEAST_MEMORY
    if wide and asked.memory and used.memory is not None and used.memory < LOW * asked.memory:
        yield f"uses {show_memory(used.memory)} of {show_memory(asked.memory)} memory requested"
