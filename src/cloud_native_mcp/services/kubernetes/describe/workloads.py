"""Descriptions of workloads: Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.services.kubernetes.describe.facts import add_conditions, selector_line, show
from cloud_native_mcp.services.kubernetes.describe.pod_template import add_pod_spec, container_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.services.kubernetes.describe.facts import Facts


def describe_deployment(facts: Facts, obj: Mapping[str, object]) -> None:
    """Replicas wanted and reached, strategy, pod template, conditions."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    facts.add("replicas", replica_line(spec, status))
    facts.add("paused", spec.get("paused"))
    facts.add("strategy", _strategy(as_dict(spec.get("strategy"))))
    facts.add("progress deadline", _seconds(spec.get("progressDeadlineSeconds")))
    facts.add("revision", dig(obj, "metadata", "annotations", "deployment.kubernetes.io/revision"))
    _add_observed(facts, obj)
    _add_template(facts, spec)
    add_conditions(facts, obj)


def describe_stateful_set(facts: Facts, obj: Mapping[str, object]) -> None:
    """Replicas, update strategy, revisions, claims, pod template, conditions."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    facts.add("replicas", replica_line(spec, status))
    facts.add("service", spec.get("serviceName"))
    facts.add("pod management", spec.get("podManagementPolicy"))
    facts.add("update strategy", _strategy(as_dict(spec.get("updateStrategy"))))
    facts.add("revision", f"{as_str(status.get('currentRevision'))} → {as_str(status.get('updateRevision'))}")
    facts.add("volume claims", [as_str(dig(c, "metadata", "name")) for c in as_list(spec.get("volumeClaimTemplates"))])
    _add_observed(facts, obj)
    _add_template(facts, spec)
    add_conditions(facts, obj)


def describe_daemon_set(facts: Facts, obj: Mapping[str, object]) -> None:
    """Pods per node wanted and reached, update strategy, pod template."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    counts = ("desired", "current", "updated", "ready", "available", "misscheduled")
    fields = ("desired", "current", "updated", "", "", "")
    numbers = [
        as_int(status.get(f"{field}NumberScheduled" if field else f"number{count.title()}"))
        for count, field in zip(counts, fields, strict=True)
    ]
    facts.add("pods", ", ".join(f"{number} {count}" for number, count in zip(numbers, counts, strict=True)))
    facts.add("update strategy", _strategy(as_dict(spec.get("updateStrategy"))))
    _add_observed(facts, obj)
    _add_template(facts, spec)
    add_conditions(facts, obj)


def describe_replica_set(facts: Facts, obj: Mapping[str, object]) -> None:
    """Replicas wanted and reached, pod template, conditions."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    facts.add("replicas", replica_line(spec, status))
    facts.add("revision", dig(obj, "metadata", "annotations", "deployment.kubernetes.io/revision"))
    _add_observed(facts, obj)
    _add_template(facts, spec)
    add_conditions(facts, obj)


def describe_job(facts: Facts, obj: Mapping[str, object]) -> None:
    """Completions, failures, limits, times, pod template, conditions."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    counts = [f"{as_int(status.get(name))} {name}" for name in ("active", "ready", "succeeded", "failed")]
    facts.add("pods", ", ".join(counts))
    facts.add("completions", spec.get("completions"))
    facts.add("parallelism", spec.get("parallelism"))
    facts.add("backoff limit", spec.get("backoffLimit"))
    facts.add("active deadline", _seconds(spec.get("activeDeadlineSeconds")))
    facts.add("suspended", spec.get("suspend") or None)
    facts.add("started", _ago(status.get("startTime")))
    facts.add("completed", _ago(status.get("completionTime")))
    _add_template(facts, spec)
    add_conditions(facts, obj)


def describe_cron_job(facts: Facts, obj: Mapping[str, object]) -> None:
    """Schedule, concurrency, last runs, what is active now, pod template."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    facts.add("schedule", f"{as_str(spec.get('schedule'))} {as_str(spec.get('timeZone'))}".strip())
    facts.add("suspended", spec.get("suspend") is True)
    facts.add("concurrency", spec.get("concurrencyPolicy"))
    facts.add("starting deadline", _seconds(spec.get("startingDeadlineSeconds")))
    limits = (as_int(spec.get("successfulJobsHistoryLimit"), 3), as_int(spec.get("failedJobsHistoryLimit"), 1))
    facts.add("history kept", f"{limits[0]} successful, {limits[1]} failed")
    facts.add("last scheduled", _ago(status.get("lastScheduleTime")) or "never")
    facts.add("last success", _ago(status.get("lastSuccessfulTime")) or "never")
    facts.add("active", [as_str(dig(j, "name")) for j in as_list(status.get("active"))])
    _add_template(facts, as_dict(dig(spec, "jobTemplate", "spec")))


def replica_line(spec: Mapping[str, object], status: Mapping[str, object]) -> str:
    """Wanted, present, updated, ready, available replicas on one line."""
    parts = [f"{as_int(spec.get('replicas'), 1)} desired", f"{as_int(status.get('replicas'))} current"]
    if "updatedReplicas" in status:
        parts.append(f"{as_int(status.get('updatedReplicas'))} updated")
    parts.append(f"{as_int(status.get('readyReplicas'))} ready")
    parts.append(f"{as_int(status.get('availableReplicas'))} available")
    return ", ".join(parts)


def _add_template(facts: Facts, spec: Mapping[str, object]) -> None:
    facts.add("selector", selector_line(spec.get("selector")))
    template = as_dict(dig(spec, "template", "spec"))
    facts.add("pod labels", dig(spec, "template", "metadata", "labels"))
    add_pod_spec(facts, template)
    for key, label in (("initContainers", " (init)"), ("containers", "")):
        for container in map(as_dict, as_list(template.get(key))):
            name = as_str(container.get("name"))
            facts.lines.append(f"container {name}{label}: " + "; ".join(container_lines(container)))


def _add_observed(facts: Facts, obj: Mapping[str, object]) -> None:
    """Say so when the controller has not looked at the newest specification yet."""
    wanted, seen = dig(obj, "metadata", "generation"), dig(obj, "status", "observedGeneration")
    if isinstance(wanted, int) and isinstance(seen, int) and seen < wanted:
        facts.add("not yet observed", f"generation {wanted}, the controller has seen {seen}")


def _strategy(strategy: Mapping[str, object]) -> str:
    details = {k: v for key, part in strategy.items() if key != "type" for k, v in as_dict(part).items()}
    return " ".join(filter(None, (as_str(strategy.get("type")), show(details))))


def _seconds(value: object) -> str:
    return f"{value}s" if isinstance(value, int) else ""


def _ago(timestamp: object) -> str:
    return f"{since} ago" if (since := age(timestamp)) else ""
