"""How ready an object is, in a word or two, by its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.pods import pod_status, ready_count
from cloud_native_mcp.contract.json_values import as_int, as_list, as_str, dig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.resources import Resource


def readiness_of(resource: Resource, obj: Mapping[str, object]) -> str:
    """``3/3 ready``, ``2/2 Running``, a phase, or the Ready condition; empty when the kind has none of them."""
    match (resource.group, resource.kind):
        case ("", "Pod"):
            ready, total = ready_count(obj)
            return f"{ready}/{total} {pod_status(obj)}"
        case ("apps", "Deployment" | "StatefulSet" | "ReplicaSet"):
            return f"{as_int(dig(obj, 'status', 'readyReplicas'))}/{as_int(dig(obj, 'spec', 'replicas'), 1)} ready"
        case ("apps", "DaemonSet"):
            ready, wanted = (as_int(dig(obj, "status", f)) for f in ("numberReady", "desiredNumberScheduled"))
            return f"{ready}/{wanted} ready"
        case ("batch", "Job"):
            return f"{as_int(dig(obj, 'status', 'succeeded'))}/{as_int(dig(obj, 'spec', 'completions'), 1)} succeeded"
        case _:
            return as_str(dig(obj, "status", "phase")) or _ready_condition(obj)


def _ready_condition(obj: Mapping[str, object]) -> str:
    for condition in as_list(dig(obj, "status", "conditions")):
        if dig(condition, "type") == "Ready":
            return "Ready" if dig(condition, "status") == "True" else f"not ready ({as_str(dig(condition, 'reason'))})"
    return ""
