"""A debug container beside those of a pod.

Source: https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, dig
from cloud_native_mcp.services.kubernetes.execution.new_container import NOBODY, container_spec

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.execution.place import Place
    from cloud_native_mcp.services.kubernetes.execution.request import Request


def debug_container(name: str, image: str, request: Request, beside: Place) -> dict[str, object]:
    """The container: it sees the processes of the other one, and runs as the same user unless that is root."""
    spec = container_spec(name, image, request, user=_user(beside) or NOBODY)
    return spec | {"targetContainerName": beside.source.container}


async def add_container(
    client: KubernetesClient,
    pods: Resource,
    place: Place,
    container: dict[str, object],
    *,
    deadline: Deadline,
    dry_run: bool,
) -> None:
    """Add an ephemeral container to the pod; none can ever be removed or changed."""
    body = {"spec": {"ephemeralContainers": [container]}}
    await writes.patch(
        client,
        pods,
        place.name,
        body,
        kind="strategic",
        namespace=place.source.namespace,
        subresource="ephemeralcontainers",
        dry_run=dry_run,
        deadline=deadline,
    )


def _user(place: Place) -> int:
    """The user that the container, or its pod, is set to run as; 0 when nothing says so."""
    containers = [as_dict(one) for one in as_list(dig(place.pod, "spec", "containers"))]
    own = next((one for one in containers if one.get("name") == place.source.container), None)
    return as_int(dig(own, "securityContext", "runAsUser")) or as_int(
        dig(place.pod, "spec", "securityContext", "runAsUser")
    )
