"""The workloads of a namespace: each controller once with its template, and pods that nothing controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.services.kubernetes.auditing.finding import named
from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import Controller, Pod, PodSpec, Template
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.services.kubernetes.reading import Reader

PODS: Final = Kind("", "Pod", Pod)
DEPLOYMENTS: Final = Kind("apps", "Deployment", Controller)
STATEFUL_SETS: Final = Kind("apps", "StatefulSet", Controller)
DAEMON_SETS: Final = Kind("apps", "DaemonSet", Controller)
CRON_JOBS: Final = Kind("batch", "CronJob", Controller)
_CONTROLLERS: Final = (
    DEPLOYMENTS,
    STATEFUL_SETS,
    DAEMON_SETS,
    Kind("apps", "ReplicaSet", Controller),
    Kind("", "ReplicationController", Controller),
    CRON_JOBS,
    Kind("batch", "Job", Controller),
)
LASTING: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"})
"""Kinds whose pods are to run all the time."""
_KNOWN: Final = frozenset(kind.kind for kind in _CONTROLLERS)
_FINISHED: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that runs pods. ``replicas`` is None for kinds that have no number."""

    kind: str
    namespace: str
    name: str
    template: Template
    replicas: int | None = None
    claims: Sequence[str] = ()

    @property
    def object(self) -> str:
        """In the words of an answer."""
        return named(self.kind, self.namespace, self.name)

    @property
    def spec(self) -> PodSpec:
        """What its pods are to be."""
        return self.template.spec

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of its pods."""
        return self.template.metadata.labels


async def workloads(reader: Reader) -> list[Workload]:
    """All workloads, also those of kinds this server does not know, by the pods they own.

    Raises:
        ToolError: pods or one kind of controllers cannot be listed; what is left would be taken for all there is.
    """
    return await reader.once("workloads", lambda: _workloads(reader))


async def _workloads(reader: Reader) -> list[Workload]:
    found: list[Workload] = []
    foreign: dict[tuple[str, str, str], Workload] = {}
    for kind in _CONTROLLERS:
        async for item in unhurried(await reader.objects(kind)):
            meta = item.metadata
            owner = meta.controller
            if owner is None:
                claims = [f"{_name(one)}-{meta.name}-" for one in item.spec.volume_claim_templates or ()]
                found.append(Workload(kind.kind, meta.namespace, meta.name, item.template, item.spec.replicas, claims))
            elif owner.kind not in _KNOWN:
                key = (owner.kind, meta.namespace, owner.name)
                foreign.setdefault(key, Workload(*key, item.template, item.spec.replicas))
    async for pod in unhurried(await reader.objects(PODS)):
        if pod.status.phase in _FINISHED:
            continue
        key = _holder(pod.metadata)
        if key is not None:
            foreign.setdefault(key, Workload(*key, pod))
    return [*found, *foreign.values()]


def _holder(meta: ObjectMeta) -> tuple[str, str, str] | None:
    """Kind, namespace and name that a pod stands under; None when its controller was listed."""
    owner = meta.controller
    if owner is None or owner.kind == "Node":
        return ("Pod", meta.namespace, meta.name)
    return None if owner.kind in _KNOWN else (owner.kind, meta.namespace, owner.name)


def _name(template: Mapping[str, object]) -> str:
    return as_str(dig(template, "metadata", "name"))
