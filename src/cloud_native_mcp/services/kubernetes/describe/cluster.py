"""Descriptions of Node, Namespace, ResourceQuota, LimitRange, HorizontalPodAutoscaler, PodDisruptionBudget.

Source: https://kubernetes.io/docs/reference/kubernetes-api/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.services.kubernetes.describe.facts import add_conditions, selector_line, show
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity, show_cpu, show_memory, show_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.describe.facts import Facts

_SHOW: Final = {"cpu": show_cpu, "memory": show_memory}


def describe_node(facts: Facts, obj: Mapping[str, object]) -> None:
    """Roles, schedulability, taints, addresses, system, capacity, conditions."""
    labels = as_dict(dig(obj, "metadata", "labels"))
    prefix = "node-role.kubernetes.io/"
    facts.add("roles", [key.removeprefix(prefix) for key in labels if key.startswith(prefix)])
    facts.add("zone", labels.get("topology.kubernetes.io/zone"))
    facts.add("unschedulable", dig(obj, "spec", "unschedulable"))
    taints = [as_dict(t) for t in as_list(dig(obj, "spec", "taints"))]
    facts.add("taints", [f"{as_str(t.get('key'))}={show(t.get('value'))}:{as_str(t.get('effect'))}" for t in taints])
    addresses = [as_dict(a) for a in as_list(dig(obj, "status", "addresses"))]
    facts.add("addresses", [f"{as_str(a.get('type'))} {as_str(a.get('address'))}" for a in addresses])
    info = as_dict(dig(obj, "status", "nodeInfo"))
    names = ("kubeletVersion", "osImage", "kernelVersion", "containerRuntimeVersion", "architecture")
    facts.add("system", [as_str(info.get(name)) for name in names])
    facts.add("capacity", dig(obj, "status", "capacity"))
    facts.add("allocatable", dig(obj, "status", "allocatable"))
    add_conditions(facts, obj)


def add_allocation(facts: Facts, node: Mapping[str, object], pods: Sequence[Mapping[str, object]]) -> None:
    """What the pods on a node ask for, against what it has to give."""
    active = [p for p in pods if as_str(dig(p, "status", "phase")) not in ("Succeeded", "Failed")]
    allocatable = as_dict(dig(node, "status", "allocatable"))
    facts.add("pods", f"{len(active)} of {show(allocatable.get('pods')) or '?'}")
    rows: list[tuple[str, str, str, str, str]] = []
    for resource, shown in _SHOW.items():
        whole = parse_quantity(allocatable.get(resource))
        asked, bound = (_sum(active, part, resource) for part in ("requests", "limits"))
        rows.append((resource, shown(asked), show_share(asked, whole), shown(bound), show_share(bound, whole)))
    facts.table("Allocated", ("RESOURCE", "REQUESTS", "%", "LIMITS", "%"), rows)


def describe_namespace(facts: Facts, obj: Mapping[str, object]) -> None:
    """Phase, finalizers that hold it, pod security levels."""
    facts.add("status", dig(obj, "status", "phase"))
    facts.add("finalizers", [f for f in as_list(dig(obj, "spec", "finalizers")) if f != "kubernetes"])
    prefix = "pod-security.kubernetes.io/"
    labels = as_dict(dig(obj, "metadata", "labels"))
    facts.add("pod security", {k.removeprefix(prefix): v for k, v in labels.items() if k.startswith(prefix)})
    add_conditions(facts, obj)


def describe_quota(facts: Facts, obj: Mapping[str, object]) -> None:
    """Used and hard value of each resource."""
    facts.add("scopes", dig(obj, "spec", "scopes"))
    hard, used = as_dict(dig(obj, "status", "hard")), as_dict(dig(obj, "status", "used"))
    rows = [
        (name, show(used.get(name)), show(value), show_share(parse_quantity(used.get(name)), parse_quantity(value)))
        for name, value in hard.items()
    ]
    facts.table("Quota", ("RESOURCE", "USED", "HARD", "%"), rows)


def describe_limit_range(facts: Facts, obj: Mapping[str, object]) -> None:
    """Bounds and defaults by type and resource."""
    rows: list[tuple[str, ...]] = []
    for limit in map(as_dict, as_list(dig(obj, "spec", "limits"))):
        columns = [as_dict(limit.get(name)) for name in ("min", "max", "defaultRequest", "default")]
        resources = list(dict.fromkeys(name for column in columns for name in column))
        rows += [
            (as_str(limit.get("type")), name, *(show(column.get(name)) for column in columns)) for name in resources
        ]
    facts.table("Limits", ("TYPE", "RESOURCE", "MIN", "MAX", "DEFAULT REQUEST", "DEFAULT LIMIT"), rows)


def describe_autoscaler(facts: Facts, obj: Mapping[str, object]) -> None:
    """Target, bounds, present and wanted replicas, metrics, conditions."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    target = as_dict(spec.get("scaleTargetRef"))
    facts.add("scales", f"{as_str(target.get('kind'))}/{as_str(target.get('name'))}")
    low, high = as_int(spec.get("minReplicas"), 1), as_int(spec.get("maxReplicas"))
    now, wanted = as_int(status.get("currentReplicas")), as_int(status.get("desiredReplicas"))
    facts.add("replicas", f"{now} current, {wanted} desired, {low} to {high} allowed")
    facts.add("metrics", [_metric(as_dict(m)) for m in as_list(spec.get("metrics"))])
    add_conditions(facts, obj)


def describe_budget(facts: Facts, obj: Mapping[str, object]) -> None:
    """What must stay up, and how many disruptions are allowed now."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    facts.add("min available", spec.get("minAvailable"))
    facts.add("max unavailable", spec.get("maxUnavailable"))
    facts.add("pods", selector_line(spec.get("selector")))
    healthy, desired = as_int(status.get("currentHealthy")), as_int(status.get("desiredHealthy"))
    facts.add("healthy", f"{healthy} of {as_int(status.get('expectedPods'))}, {desired} needed")
    facts.add("disruptions allowed", as_int(status.get("disruptionsAllowed")))
    add_conditions(facts, obj)


def _sum(pods: Sequence[Mapping[str, object]], part: str, resource: str) -> float:
    return sum(
        parse_quantity(dig(container, "resources", part, resource)) or 0.0
        for pod in pods
        for container in as_list(dig(pod, "spec", "containers"))
    )


def _metric(metric: Mapping[str, object]) -> str:
    kind = as_str(metric.get("type"))
    detail = as_dict(metric.get(kind[:1].lower() + kind[1:]))
    name = as_str(detail.get("name")) or as_str(dig(detail, "metric", "name"))
    return f"{name} {show(detail.get('target'))}"
