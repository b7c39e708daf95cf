"""Autoscalers that cannot scale, and disruption budgets that allow no disruption.

Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough/#appendix-horizontal-pod-autoscaler-status-conditions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector  # noqa: TC001 - read when structs are decoded
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, look_at, tool_call
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Condition, condition
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

_HPA: Final = "hpa"
_PDB: Final = "pdb"


class ScaleTarget(msgspec.Struct, gc=False):
    """The workload that is scaled."""

    kind: str = ""
    name: str = ""


class _ScalerSpec(msgspec.Struct, gc=False, rename="camel"):
    scale_target_ref: ScaleTarget = msgspec.field(default_factory=ScaleTarget)
    max_replicas: int = 0


class _ScalerStatus(msgspec.Struct, gc=False, rename="camel"):
    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: list[Condition] | None = None


class Autoscaler(msgspec.Struct, gc=False):
    """A HorizontalPodAutoscaler."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _ScalerSpec = msgspec.field(default_factory=_ScalerSpec)
    status: _ScalerStatus = msgspec.field(default_factory=_ScalerStatus)


class _BudgetStatus(msgspec.Struct, gc=False, rename="camel"):
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: list[Condition] | None = None


class _BudgetSpec(msgspec.Struct, gc=False):
    selector: LabelSelector | None = None


class Budget(msgspec.Struct, gc=False):
    """A PodDisruptionBudget."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _BudgetSpec = msgspec.field(default_factory=_BudgetSpec)
    status: _BudgetStatus = msgspec.field(default_factory=_BudgetStatus)


AUTOSCALERS: Final = Kind("autoscaling", "HorizontalPodAutoscaler", Autoscaler)
BUDGETS: Final = Kind("policy", "PodDisruptionBudget", Budget)


async def autoscaling(survey: Survey) -> list[Finding]:
    """Autoscalers without metrics or target, or at their end; budgets that block evictions.

    Raises:
        ToolError: neither may be read.
    """
    found: list[Finding] = []
    async for scaler in unhurried(await survey.reader.objects(AUTOSCALERS)):
        found += autoscaler_findings(scaler)
    async for budget in unhurried(await survey.reader.optional(BUDGETS, "autoscaling")):
        found += budget_findings(budget)
    return found


def autoscaler_findings(scaler: Autoscaler) -> Iterator[Finding]:
    """What keeps an autoscaler from scaling."""
    ref = Ref("HorizontalPodAutoscaler", scaler.metadata.namespace, scaler.metadata.name)
    status = scaler.status
    able = condition(status.conditions, "AbleToScale")
    if able.status == "False" and able.reason != "BackoffBoth":
        target = scaler.spec.scale_target_ref
        gone = able.reason == "FailedGetScale"
        code = "hpa_target_missing" if gone else "hpa_unable"
        cause = f"{target.kind} {target.name} that it scales cannot be read" if gone else "it cannot change the scale"
        yield _told(ref, code, cause, able)
        return
    active = condition(status.conditions, "ScalingActive")
    if active.reason == "ScalingDisabled":
        yield Finding("info", "hpa_off", ref, "its target has no replicas", active.message, look_at(ref, kind=_HPA))
    elif active.status == "False":
        code = "hpa_no_metrics" if "Metric" in active.reason else "hpa_unable"
        yield _told(ref, code, "it gets no metrics, so it does not scale", active)
    limited = condition(status.conditions, "ScalingLimited")
    if limited.status == "True" and limited.reason == "TooManyReplicas":
        cause = f"it wants more than its {scaler.spec.max_replicas} replicas"
        yield _told(ref, "hpa_at_max", cause, limited)


def _told(ref: Ref, code: str, cause: str, by: Condition) -> Finding:
    evidence = f"status.conditions[{by.type}]: {by.reason}: {by.message}"
    return Finding("warning", code, ref, cause, evidence, look_at(ref, kind=_HPA), by.since)


def budget_findings(budget: Budget) -> Iterator[Finding]:
    """Whether a budget allows no disruption, and why."""
    ref = Ref("PodDisruptionBudget", budget.metadata.namespace, budget.metadata.name)
    status = budget.status
    allowed = condition(status.conditions, "DisruptionAllowed")
    call = look_at(ref, kind=_PDB)
    if allowed.reason == "SyncFailed":
        evidence = f"status.conditions[DisruptionAllowed]: {allowed.message}"
        cause = "its pods cannot be counted, so it blocks every eviction"
        yield Finding("warning", "pdb_blocks", ref, cause, evidence, call, allowed.since)
    elif status.expected_pods and not status.disruptions_allowed:
        evidence = (
            f"status: disruptionsAllowed 0, currentHealthy {status.current_healthy}, "
            f"desiredHealthy {status.desired_healthy}, expectedPods {status.expected_pods}"
        )
        cause = "it allows no eviction even when all its pods are healthy: nodes under them cannot be drained"
        if status.current_healthy < status.desired_healthy:
            cause = "too few of its pods are healthy, so none may be evicted"
            call = tool_call("list", kind="pods", namespace=ref.namespace)
        elif status.current_healthy < status.expected_pods:
            cause = "some of its pods are not healthy, so no other may be evicted"
        yield Finding("warning", "pdb_blocks", ref, cause, evidence, call, allowed.since, status.expected_pods)
