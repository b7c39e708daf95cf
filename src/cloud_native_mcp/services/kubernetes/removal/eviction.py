"""One eviction, and what a refusal of it means.

API: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.status import KubernetesError

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.errors import BackendError

Blocked = Literal["", "for_now", "for_good"]


async def evict(
    client: KubernetesClient,
    pods: Resource,
    metadata: ObjectMeta,
    *,
    grace_period_seconds: int | None,
    deadline: Deadline,
    dry_run: bool = False,
) -> None:
    """Evict a pod, if it still is the one with that uid.

    Raises:
        BackendError: refused; `blocked` tells whether a disruption budget did it.
    """
    options: dict[str, object] = {"preconditions": {"uid": metadata.uid}}
    if grace_period_seconds is not None:
        options["gracePeriodSeconds"] = grace_period_seconds
    meta = {"name": metadata.name, "namespace": metadata.namespace}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta, "deleteOptions": options}
    await writes.create(
        client,
        pods,
        body,
        namespace=metadata.namespace,
        name=metadata.name,
        subresource="eviction",
        dry_run=dry_run,
        deadline=deadline,
    )


def blocked(error: BackendError) -> Blocked:
    """Whether a disruption budget refused it: until others are healthy, or for good since two budgets claim the pod."""
    causes = error.details.causes if isinstance(error, KubernetesError) else []
    if any(cause.reason == "DisruptionBudget" for cause in causes):
        return "for_now"
    return "for_good" if "more than one PodDisruptionBudget" in error.text else ""


def refusal(error: BackendError) -> str:
    """The refusal as a row shows it: code, and the server's own words with what a budget's cause says."""
    code = "pdb_blocked" if blocked(error) else error.code
    if not isinstance(error, KubernetesError):
        return f"{code}: {error.text}"
    said = [error.message, *(cause.message for cause in error.details.causes if cause.reason == "DisruptionBudget")]
    return f"{code}: {' '.join(part for part in said if part)}"
