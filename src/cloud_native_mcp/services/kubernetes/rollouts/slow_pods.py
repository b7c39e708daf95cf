"""The pods of a workload that are not ready, with the reason each gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.pods import pod_status, ready_count, restarts
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Block, Table, Text
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.services.kubernetes.workloads import pods_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

MOST_SLOW_PODS: Final = 10


async def slow_pods(
    client: KubernetesClient, resource: Resource, obj: Mapping[str, object], *, deadline: Deadline
) -> list[Block]:
    """The pods that are not ready, with the reason each gives; newest first."""
    name, namespace = (as_str(dig(obj, "metadata", key)) for key in ("name", "namespace"))
    pods = await pods_of(client, resource, name, namespace=namespace, deadline=deadline)
    slow = [pod for pod in pods if len(set(ready_count(pod))) > 1]
    slow.sort(key=lambda pod: as_str(dig(pod, "metadata", "creationTimestamp")), reverse=True)
    rows = [
        (
            as_str(dig(pod, "metadata", "name")),
            "{}/{}".format(*ready_count(pod)),
            pod_status(pod),
            restarts(pod),
            age(dig(pod, "metadata", "creationTimestamp")),
        )
        for pod in slow[:MOST_SLOW_PODS]
    ]
    if not rows:
        return [Text("no pod is held up: none was created, or all are ready")]
    title = f"Pods not ready ({len(rows)} of {len(slow)})"
    return [Table(("POD", "READY", "STATUS", "RESTARTS", "AGE"), rows, title=title)]
