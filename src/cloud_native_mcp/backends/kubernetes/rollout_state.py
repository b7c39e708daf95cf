"""Whether a rollout is done, goes on, or is stuck, and why: the rules of ``kubectl rollout status``.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status; of Rollouts:
https://argo-rollouts.readthedocs.io/en/stable/features/specification/ (their controller says the phase itself)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig

if TYPE_CHECKING:
    from collections.abc import Mapping

Phase = Literal["done", "progressing", "stuck", "paused"]


@dataclass(frozen=True, slots=True)
class RolloutState:
    """The phase, one sentence that says it, and the counts behind it."""

    phase: Phase
    sentence: str
    desired: int
    updated: int
    ready: int
    available: int


def state_of(kind: str, obj: Mapping[str, object]) -> RolloutState:
    """The state of a Deployment, StatefulSet, DaemonSet, or Rollout (Argo)."""
    match kind:
        case "Rollout":
            return _rollout(obj)
        case "StatefulSet":
            return _stateful_set(obj)
        case "DaemonSet":
            return _daemon_set(obj)
        case _:
            return _deployment(obj)


def observed(obj: Mapping[str, object]) -> tuple[int, int]:
    """The generation of the specification, and the one the controller has acted on (which Rollouts keep as text)."""
    seen = dig(obj, "status", "observedGeneration")
    number = int(seen) if isinstance(seen, str) and seen.isdecimal() else as_int(seen)
    return as_int(dig(obj, "metadata", "generation")), number


def condition(obj: Mapping[str, object], kind: str) -> Mapping[str, object]:
    """The condition of that type, or an empty mapping."""
    found = (as_dict(c) for c in as_list(dig(obj, "status", "conditions")) if dig(c, "type") == kind)
    return next(found, dict[str, object]())


def _deployment(obj: Mapping[str, object]) -> RolloutState:
    desired = as_int(dig(obj, "spec", "replicas"), 1)
    counts = (desired, *(as_int(dig(obj, "status", f"{name}Replicas")) for name in ("updated", "ready", "available")))
    current = as_int(dig(obj, "status", "replicas"))
    _, updated, _, available = counts
    progressing = condition(obj, "Progressing")
    failure = condition(obj, "ReplicaFailure")
    if dig(obj, "spec", "paused") is True:
        return RolloutState("paused", "paused: changes of the template are not rolled out until resumed", *counts)
    if waiting := _not_observed(obj):
        return RolloutState("progressing", waiting, *counts)
    if as_str(progressing.get("reason")) == "ProgressDeadlineExceeded":
        why = as_str(failure.get("message")) or as_str(progressing.get("message"))
        return RolloutState("stuck", f"stuck: progress deadline exceeded ({why})", *counts)
    if as_str(failure.get("status")) == "True":
        return RolloutState("stuck", f"stuck: pods cannot be created ({as_str(failure.get('message'))})", *counts)
    if updated < desired:
        return RolloutState("progressing", f"progressing: {updated} of {desired} pods updated", *counts)
    if current > updated:
        return RolloutState("progressing", f"progressing: {current - updated} old pods are to be removed", *counts)
    if available < updated:
        return RolloutState("progressing", f"progressing: {available} of {updated} updated pods available", *counts)
    return RolloutState("done", f"done: {available} of {desired} pods updated and available", *counts)


def _stateful_set(obj: Mapping[str, object]) -> RolloutState:
    desired = as_int(dig(obj, "spec", "replicas"), 1)
    counts = (desired, *(as_int(dig(obj, "status", f"{name}Replicas")) for name in ("updated", "ready", "available")))
    _, updated, ready, _ = counts
    status = as_dict(obj.get("status"))
    partition = as_int(dig(obj, "spec", "updateStrategy", "rollingUpdate", "partition"))
    if dig(obj, "spec", "updateStrategy", "type") == "OnDelete":
        return RolloutState("done", "update strategy OnDelete: pods change when somebody deletes them", *counts)
    if waiting := _not_observed(obj):
        return RolloutState("progressing", waiting, *counts)
    if ready < desired:
        return RolloutState("progressing", f"progressing: {ready} of {desired} pods ready", *counts)
    if partition and updated < desired - partition:
        return RolloutState("progressing", f"progressing: {updated} of {desired - partition} pods updated", *counts)
    if partition:
        return RolloutState("done", f"done up to partition {partition}: {updated} pods updated", *counts)
    if status.get("updateRevision") != status.get("currentRevision"):
        return RolloutState("progressing", f"progressing: {updated} of {desired} pods updated", *counts)
    return RolloutState("done", f"done: {ready} of {desired} pods at {as_str(status.get('currentRevision'))}", *counts)


def _daemon_set(obj: Mapping[str, object]) -> RolloutState:
    status = as_dict(obj.get("status"))
    desired, updated = as_int(status.get("desiredNumberScheduled")), as_int(status.get("updatedNumberScheduled"))
    ready, available = as_int(status.get("numberReady")), as_int(status.get("numberAvailable"))
    counts = (desired, updated, ready, available)
    if dig(obj, "spec", "updateStrategy", "type") == "OnDelete":
        return RolloutState("done", "update strategy OnDelete: pods change when somebody deletes them", *counts)
    if waiting := _not_observed(obj):
        return RolloutState("progressing", waiting, *counts)
    if updated < desired:
        return RolloutState("progressing", f"progressing: {updated} of {desired} pods updated", *counts)
    if available < desired:
        return RolloutState("progressing", f"progressing: {available} of {desired} updated pods available", *counts)
    return RolloutState("done", f"done: {available} of {desired} pods updated and available", *counts)


def _rollout(obj: Mapping[str, object]) -> RolloutState:
    desired = as_int(dig(obj, "spec", "replicas"), 1)
    counts = (desired, *(as_int(dig(obj, "status", f"{name}Replicas")) for name in ("updated", "ready", "available")))
    if waiting := _not_observed(obj):
        return RolloutState("progressing", waiting, *counts)
    said = as_str(dig(obj, "status", "phase"))
    message = as_str(dig(obj, "status", "message"))
    told = f" ({message})" if message else ""
    steps, at = as_list(dig(obj, "spec", "strategy", "canary", "steps")), dig(obj, "status", "currentStepIndex")
    step = f", step {as_int(at)} of {len(steps)}" if steps and at is not None else ""
    match said:
        case "Healthy":
            return RolloutState("done", f"done: {counts[3]} of {desired} pods updated and available{step}", *counts)
        case "Paused":
            return RolloutState("paused", f"paused{told}{step}: it waits to be promoted", *counts)
        case "Degraded":
            return RolloutState("stuck", f"stuck: degraded{told}{step}", *counts)
        case _:
            return RolloutState(
                "progressing", f"progressing: {counts[1]} of {desired} pods updated{told}{step}", *counts
            )


def _not_observed(obj: Mapping[str, object]) -> str:
    wanted, seen = observed(obj)
    return f"waiting: the controller has seen generation {seen}, not yet {wanted}" if seen < wanted else ""
