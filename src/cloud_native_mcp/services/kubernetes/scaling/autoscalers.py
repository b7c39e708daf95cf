"""Autoscalers that will override a number of replicas, and disruption budgets it leaves no room under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector, matches
from cloud_native_mcp.contract.json_values import as_int, as_str, dig
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

_AUTOSCALERS: Final = (
    ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ("keda.sh", "v1alpha1", "ScaledObject"),
)
_MOST: Final = 500


async def autoscaler_notes(
    client: KubernetesClient, resource: Resource, name: str, namespace: str, *, deadline: Deadline
) -> list[str]:
    """A line for each autoscaler of the workload; one that says so when they cannot be read."""
    notes: list[str] = []
    for group, version, kind in _AUTOSCALERS:
        scaler = await client.discovery.find(group, version, kind, deadline=deadline)
        if scaler is None:
            continue
        objects = await _all(client, scaler, namespace, deadline)
        if isinstance(objects, str):
            notes.append(objects)
            continue
        notes += [_override(kind, one) for one in objects if _scales(one, resource, name)]
    return notes


async def budget_notes(
    client: KubernetesClient, selector: object, namespace: str, replicas: int, deadline: Deadline
) -> list[str]:
    """A line for each disruption budget over these pods that asks for more of them than there will be.

    Args:
        selector: the pods' labels as the scale subresource gives them (``app=web,tier=front``).
    """
    budgets = await client.discovery.find("policy", "v1", "PodDisruptionBudget", deadline=deadline)
    labels = dict(part.split("=", 1) for part in as_str(selector).split(",") if part.count("=") == 1)
    if budgets is None or not labels:
        return []
    objects = await _all(client, budgets, namespace, deadline)
    if isinstance(objects, str):
        return [objects]
    return [
        f"disruption budget {as_str(dig(one, 'metadata', 'name'))} asks for {least} available pods, of {replicas}"
        for one in objects
        if isinstance(least := dig(one, "spec", "minAvailable"), int) and least > replicas and _covers(one, labels)
    ]


async def _all(
    client: KubernetesClient, resource: Resource, namespace: str, deadline: Deadline
) -> Sequence[dict[str, object]] | str:
    query = ListQuery(namespace, limit=_MOST)
    try:
        return (await list_page(client, resource, query, item=dict[str, object], deadline=deadline)).items
    except BackendError as error:
        return f"{resource.display} could not be read ({error.code}): whether one applies is not known"


def _scales(autoscaler: Mapping[str, object], resource: Resource, name: str) -> bool:
    target = dig(autoscaler, "spec", "scaleTargetRef")
    return as_str(dig(target, "name")) == name and as_str(dig(target, "kind"), "Deployment") == resource.kind


def _override(kind: str, one: Mapping[str, object]) -> str:
    if kind == "ScaledObject":
        least, most = (dig(one, "spec", field) for field in ("minReplicaCount", "maxReplicaCount"))
    else:
        least, most = (dig(one, "spec", field) for field in ("minReplicas", "maxReplicas"))
    bounds = f"{as_int(least, 1)} to {as_int(most)} replicas"
    return f"{kind} {as_str(dig(one, 'metadata', 'name'))} holds it at {bounds} and will override this"


def _covers(budget: Mapping[str, object], labels: Mapping[str, str]) -> bool:
    selector = msgspec.convert(dig(budget, "spec", "selector") or {}, LabelSelector)
    return matches(selector, labels)
