"""Which container of which pod a command runs in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.names import check_name
from cloud_native_mcp.backends.kubernetes.pods import pod_status, ready_count
from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.logs.containers import choose
from cloud_native_mcp.services.kubernetes.workloads import pods_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.logs.containers import Source

NOT_RUNNING = "container_not_running"
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


@dataclass(frozen=True, slots=True)
class Place:
    """A container of a pod, as it was read."""

    pod: Mapping[str, object]
    source: Source

    @property
    def name(self) -> str:
        """The pod's name."""
        return self.source.pod

    @property
    def label(self) -> str:
        """How answers name the container."""
        return f"container {self.source.container} of pod {self.source.pod} in {self.source.namespace}"

    @property
    def image(self) -> str:
        """The container's image."""
        return as_str(self._part("spec", _CONTAINERS).get("image"))

    @property
    def subject(self) -> str:
        """What a plan is bound to: the pod, and this start of the container."""
        started = as_str(self._part("status", _STATUSES).get("containerID")) or f"{self.source.restarts} restarts"
        return f"pod {as_str(dig(self.pod, 'metadata', 'uid'))} {self.source.container} {started}"

    def _part(self, section: str, fields: Sequence[str]) -> Mapping[str, object]:
        found = [as_dict(one) for field in fields for one in as_list(dig(self.pod, section, field))]
        return as_dict(next((one for one in found if one.get("name") == self.source.container), None))


async def find_place(
    client: KubernetesClient, kind: str, name: str, container: str, *, namespace: str, deadline: Deadline
) -> Place:
    """The named pod, or the first ready pod of a workload, and its container: the named or the default one.

    Raises:
        ToolError: ``not_found``; ``container_not_running``, when a workload has no ready pod.
    """
    resource = await client.discovery.resolve(kind, deadline=deadline)
    check_name(name, resource=resource)
    pods = await pods_of(client, resource, name, namespace=namespace, deadline=deadline)
    if (resource.group, resource.kind) != ("", "Pod"):
        pods = [_first_ready(pods, f"{resource.kind} {name} in namespace {namespace}")]
    return Place(pods[0], choose(pods, container).sources[0])


def require_running(place: Place) -> None:
    """Refuse a container in which nothing can be run now.

    Raises:
        ToolError: ``container_not_running``, with its state.
    """
    if not place.source.state.startswith("running"):
        state = place.source.silent or place.source.state
        raise ToolError(NOT_RUNNING, f"{place.label} does not run: {state}", kind="final")


def _first_ready(pods: Sequence[dict[str, object]], what: str) -> dict[str, object]:
    """The first by name, so that the same one is met again when a plan is confirmed."""
    by_name = sorted(pods, key=lambda pod: as_str(dig(pod, "metadata", "name")))
    for pod in by_name:
        ready, containers = ready_count(pod)
        if ready == containers and not dig(pod, "metadata", "deletionTimestamp"):
            return pod
    states = ", ".join(sorted({pod_status(pod) for pod in by_name})) or "it has no pods"
    raise ToolError(NOT_RUNNING, f"no pod of {what} is ready: {states}", kind="final")
