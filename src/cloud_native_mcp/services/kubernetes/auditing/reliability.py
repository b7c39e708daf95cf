"""What does not survive a node, a rollout or its own success.

Source: https://kubernetes.io/docs/concepts/configuration/overview/, https://kubernetes.io/docs/tasks/run-application/configure-pdb/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector, matches
from cloud_native_mcp.contract.json_values import dig
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import ManagedMeta
from cloud_native_mcp.services.kubernetes.auditing.workloads import LASTING, Workload, workloads
from cloud_native_mcp.services.kubernetes.reading import Kind, by_namespace
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.reading import Reader
    from cloud_native_mcp.services.kubernetes.severity import Severity


class _BudgetSpec(msgspec.Struct, gc=False, rename="camel"):
    selector: LabelSelector | None = None
    min_available: int | str | None = None
    max_unavailable: int | str | None = None


class Budget(msgspec.Struct, gc=False):
    """A PodDisruptionBudget."""

    metadata: ManagedMeta = msgspec.field(default_factory=ManagedMeta)
    spec: _BudgetSpec = msgspec.field(default_factory=_BudgetSpec)


class _ServiceSpec(msgspec.Struct, gc=False):
    selector: dict[str, str] | None = None


class Service(msgspec.Struct, gc=False):
    """A Service, as far as whom it selects."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _ServiceSpec = msgspec.field(default_factory=_ServiceSpec)


BUDGETS: Final = Kind("policy", "PodDisruptionBudget", Budget)
SERVICES: Final = Kind("", "Service", Service)


async def reliability(reader: Reader) -> list[Finding]:
    """Single replicas, missing budgets, probes and limits, bare pods, Services without pods."""
    running: dict[str, list[Workload]] = {}
    for workload in await workloads(reader):
        running.setdefault(workload.namespace, []).append(workload)
    budgets = by_namespace(await reader.objects(BUDGETS))
    services = by_namespace(await reader.objects(SERVICES))
    found: list[Finding] = []
    for namespace, some in running.items():
        async for workload in unhurried(some):
            found += _of_workload(workload, budgets.get(namespace, ()), services.get(namespace, ()))
    found += [one for some in budgets.values() for budget in some for one in _of_budget(budget, running)]
    found += [one for some in services.values() for service in some for one in _of_service(service, running)]
    return found


def _of_workload(workload: Workload, budgets: Sequence[Budget], services: Sequence[Service]) -> Iterator[Finding]:
    def found(severity: Severity, rule: str, why: str, fix: str) -> Finding:
        return Finding(severity, "reliability", rule, workload.object, why, fix)

    if workload.kind == "Pod":
        yield found("warning", "bare_pod", "nothing makes it again when its node is lost", "use a Deployment or Job")
    if unlimited := [c.name for c in workload.spec.containers or () if dig(c.resources, "limits", "memory") is None]:
        why = f"{', '.join(unlimited)}: may take all memory of its node"
        yield found("warning", "no_memory_limit", why, "set resources.limits.memory")
    if workload.kind not in LASTING:
        return
    served = any(_selects(service.spec.selector, workload) for service in services)
    if served and not any(c.readiness_probe for c in workload.spec.containers or ()):
        why = "gets traffic of a Service before it is ready"
        yield found("warning", "no_readiness_probe", why, "add a readinessProbe")
    if not any(c.liveness_probe for c in workload.spec.containers or ()):
        yield found("info", "no_liveness_probe", "is not restarted when it hangs", "add a livenessProbe if it can hang")
    yield from _of_replicas(workload, budgets)


def _of_replicas(workload: Workload, budgets: Sequence[Budget]) -> Iterator[Finding]:
    where, replicas = workload.object, 1 if workload.replicas is None else workload.replicas
    if workload.kind == "DaemonSet" or not replicas:
        return
    if replicas == 1:
        why = "stops while its only pod is replaced"
        yield Finding("info", "reliability", "single_replica", where, why, "run two or more replicas")
        return
    if not any(_covers(budget, workload) for budget in budgets):
        why = f"a drain may evict its {replicas} pods at once"
        fix = "add a PodDisruptionBudget"
        yield Finding("warning", "reliability", "no_disruption_budget", where, why, fix)
    if not workload.spec.topology_spread_constraints and dig(workload.spec.affinity, "podAntiAffinity") is None:
        why = "all its pods may be on one node"
        fix = "add topologySpreadConstraints or podAntiAffinity"
        yield Finding("info", "reliability", "not_spread", where, why, fix)


def _of_budget(budget: Budget, running: Mapping[str, Sequence[Workload]]) -> Iterator[Finding]:
    meta, spec = budget.metadata, budget.spec
    where = named("PodDisruptionBudget", meta.namespace, meta.name)
    covered = [one for one in running.get(meta.namespace, ()) if _covers(budget, one)]
    if not covered:
        fix = "correct its selector, or delete it"
        yield Finding("info", "reliability", "budget_without_pods", where, "selects no workload", fix)
        return
    replicas = sum(1 if one.replicas is None else one.replicas for one in covered)
    least = spec.min_available
    if spec.max_unavailable in {0, "0", "0%"} or least == "100%" or (isinstance(least, int) and 0 < replicas <= least):
        why = "no pod may ever be evicted, so its nodes cannot be drained"
        fix = "allow one pod to be unavailable, or run more replicas"
        yield Finding("warning", "reliability", "blocks_eviction", where, why, fix)


def _of_service(service: Service, running: Mapping[str, Sequence[Workload]]) -> Iterator[Finding]:
    meta = service.metadata
    if service.spec.selector and not any(
        _selects(service.spec.selector, workload) for workload in running.get(meta.namespace, ())
    ):
        where, fix = named("Service", meta.namespace, meta.name), "correct its selector, or delete it"
        yield Finding("warning", "reliability", "service_without_pods", where, "selects no workload", fix)


def _selects(selector: Mapping[str, str] | None, workload: Workload) -> bool:
    return bool(selector) and (selector or {}).items() <= workload.labels.items()


def _covers(budget: Budget, workload: Workload) -> bool:
    return budget.spec.selector is not None and matches(budget.spec.selector, workload.labels)
