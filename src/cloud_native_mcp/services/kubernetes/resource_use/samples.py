"""Samples of CPU and memory use from the metrics API.

It ignores ``limit``, has no continue token, and selects fields only by name and namespace.

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.errors import BackendError, InvalidArgument
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried
from cloud_native_mcp.services.kubernetes.resource_use.rows import Amount, total

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline

UNAVAILABLE: Final = "metrics_unavailable"
GROUP: Final = "metrics.k8s.io"
_SECONDS: Final = re.compile(r"\d{1,6}(?:\.\d{1,9})?s")
_FATAL: Final = frozenset({"unauthorized", "invalid_selector", "throttled"})


class _Usage(msgspec.Struct, gc=False):
    cpu: str = ""
    memory: str = ""

    def amount(self) -> Amount:
        """As numbers."""
        return Amount(parse_quantity(self.cpu), parse_quantity(self.memory))


class _ContainerMetrics(msgspec.Struct, gc=False):
    name: str = ""
    usage: _Usage = msgspec.field(default_factory=_Usage)


class _Metrics(msgspec.Struct, gc=False):
    """PodMetrics or NodeMetrics."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    timestamp: str = ""
    window: str = ""
    usage: _Usage | None = None
    containers: list[_ContainerMetrics] | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """Use by namespace and name (nodes: by name), and by container.

    Attributes:
        about: when and over how long it was sampled.
        failed: why there is none; empty when there is.
    """

    total: Mapping[tuple[str, str], Amount] = field(default_factory=dict[tuple[str, str], Amount])
    containers: Mapping[tuple[str, str], Mapping[str, Amount]] = field(
        default_factory=dict[tuple[str, str], dict[str, Amount]]
    )
    about: str = ""
    failed: str = ""


async def samples_of(client: KubernetesClient, kind: str, query: ListQuery, *, deadline: Deadline) -> Samples:
    """Samples of ``PodMetrics`` or ``NodeMetrics``. Without a working metrics API there are none, which is told."""
    try:
        resource = await client.discovery.find(GROUP, "", kind, deadline=deadline)
        if resource is None:
            return Samples(failed=f"{UNAVAILABLE}: cluster {client.name} serves no {GROUP} (metrics-server); use is -")
        page = await list_page(client, resource, query, item=_Metrics, deadline=deadline)
    except (BackendError, InvalidArgument) as error:
        if error.code in _FATAL:
            raise
        return Samples(failed=f"{UNAVAILABLE}: {error.code}: {error.text}; use is -")
    return await _samples(page.items)


async def _samples(items: Iterable[_Metrics]) -> Samples:
    whole: dict[tuple[str, str], Amount] = {}
    parts: dict[tuple[str, str], dict[str, Amount]] = {}
    stamps: list[str] = []
    windows: set[str] = set()
    async for item in unhurried(items):
        key = (item.metadata.namespace, item.metadata.name)
        parts[key] = {container.name: container.usage.amount() for container in item.containers or ()}
        whole[key] = item.usage.amount() if item.usage else total(parts[key].values())
        stamps.append(item.timestamp)
        windows.add(item.window)
    return Samples(whole, parts, _about(stamps, windows))


def _about(stamps: Sequence[str], windows: Collection[str]) -> str:
    if not stamps:
        return "no samples yet"
    first, last = min(stamps), max(stamps)
    when = last if first == last else f"{first} to {last}"
    longest = max((float(window[:-1]) for window in windows if _SECONDS.fullmatch(window)), default=0.0)
    return f"use sampled {when}" + (f", each over {longest:.0f}s" if longest else "")
