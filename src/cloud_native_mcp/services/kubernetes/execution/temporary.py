"""A pod that is made for one command and removed afterwards, whatever happens meanwhile."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.execution.new_container import (
    NOBODY,
    NewContainer,
    container_spec,
    run_to_end,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.exec_stream import Execution
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.services.kubernetes.execution.leftovers import Leftovers
    from cloud_native_mcp.services.kubernetes.execution.request import Request

CONTAINER: Final = "main"
_SPARE_S: Final = 10
"""Beyond the time of the command, in which a pod whose removal failed may still run."""
_REMOVAL_S: Final = 10.0
_RESOURCES: Final[Mapping[str, object]] = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}


def temporary_pod(image: str, request: Request) -> dict[str, object]:
    """The pod: no service account token, no root, bounded in time, memory and CPU."""
    container = container_spec(CONTAINER, image, request)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"run-{secrets.token_hex(5)}",
            "labels": {"app.kubernetes.io/managed-by": writes.FIELD_MANAGER},
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": math.ceil(request.seconds) + _SPARE_S,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": NOBODY},
            "containers": [container | {"resources": _RESOURCES}],
        },
    }


async def run_in_temporary_pod(
    client: KubernetesClient,
    pods: Resource,
    pod: dict[str, object],
    name: str,
    request: Request,
    *,
    namespace: str,
    deadline: Deadline,
    leftovers: Leftovers,
) -> Execution:
    """Make the pod, wait for its command, and remove it: also when the call is cancelled or fails.

    The message of what is answered tells when the removal failed.
    """
    refused = removed = False
    try:
        try:
            await writes.create(client, pods, pod, namespace=namespace, deadline=deadline)
        except ToolError as error:
            refused = error.code not in {"unknown_outcome", "timeout"}
            raise
        execution = await run_to_end(NewContainer(client, pods, namespace, name, CONTAINER), request, deadline)
    finally:
        if not refused:
            removed = await leftovers.settle(_remove(client, pods, name, namespace))
    if not removed:
        left = f"pod {name} could not be removed; it ends by itself, and kubernetes_delete removes it"
        execution.message = "; ".join(filter(None, (execution.message, left)))
    return execution


async def _remove(client: KubernetesClient, pods: Resource, name: str, namespace: str) -> None:
    """Delete the pod; one that is gone already is as good.

    Raises:
        ToolError: it could not be deleted.
    """
    try:
        await writes.delete(
            client, pods, name, namespace=namespace, grace_period_seconds=1, deadline=Deadline.after(_REMOVAL_S)
        )
    except ToolError as error:
        if error.code != "not_found":
            raise
