"""What the status of a Pod says in a word, as kubectl puts it.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig

if TYPE_CHECKING:
    from collections.abc import Mapping


def pod_status(pod: Mapping[str, object]) -> str:
    """The status column of ``kubectl get pods``: the most telling reason of phase, containers and deletion."""
    status = as_dict(pod.get("status"))
    reason = as_str(status.get("reason")) or as_str(status.get("phase"), "Unknown")
    reason = _init_reason(pod) or _container_reason(status) or reason
    if dig(pod, "metadata", "deletionTimestamp"):
        return "Unknown" if as_str(status.get("reason")) == "NodeLost" else "Terminating"
    return reason


def ready_count(pod: Mapping[str, object]) -> tuple[int, int]:
    """Ready containers and all containers of a pod (restartable init containers counted as containers)."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    sidecars = {
        as_str(dig(c, "name")) for c in as_list(spec.get("initContainers")) if dig(c, "restartPolicy") == "Always"
    }
    states = as_list(status.get("containerStatuses")) + [
        s for s in as_list(status.get("initContainerStatuses")) if as_str(dig(s, "name")) in sidecars
    ]
    return sum(1 for s in states if dig(s, "ready") is True), len(as_list(spec.get("containers"))) + len(sidecars)


def restarts(pod: Mapping[str, object]) -> int:
    """How often containers of the pod were started again."""
    return sum(as_int(dig(s, "restartCount")) for s in as_list(dig(pod, "status", "containerStatuses")))


def _init_reason(pod: Mapping[str, object]) -> str:
    """The reason an unfinished init container gives (``Init:1/2``, ``Init:CrashLoopBackOff``), else nothing."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    declared = as_list(spec.get("initContainers"))
    sidecars = {as_str(dig(c, "name")) for c in declared if dig(c, "restartPolicy") == "Always"}
    for number, state in enumerate(map(as_dict, as_list(status.get("initContainerStatuses")))):
        if dig(state, "state", "terminated", "exitCode") == 0:
            continue
        if as_str(state.get("name")) in sidecars and state.get("started") is True:
            continue
        terminated, waiting = as_dict(dig(state, "state", "terminated")), as_dict(dig(state, "state", "waiting"))
        if terminated:
            return "Init:" + (as_str(terminated.get("reason")) or f"ExitCode:{as_int(terminated.get('exitCode'))}")
        reason = as_str(waiting.get("reason"))
        return f"Init:{reason}" if reason not in ("", "PodInitializing") else f"Init:{number}/{len(declared)}"
    return ""


def _container_reason(status: Mapping[str, object]) -> str:
    """The most telling reason of the containers, as kubectl picks it: the first in order wins."""
    found, running = "", False
    for state in reversed([as_dict(s) for s in as_list(status.get("containerStatuses"))]):
        waiting, terminated = as_dict(dig(state, "state", "waiting")), as_dict(dig(state, "state", "terminated"))
        if reason := as_str(waiting.get("reason")):
            found = reason
        elif terminated:
            signal = as_int(terminated.get("signal"))
            code = f"Signal:{signal}" if signal else f"ExitCode:{as_int(terminated.get('exitCode'))}"
            found = as_str(terminated.get("reason")) or code
        elif state.get("ready") is True and dig(state, "state", "running") is not None:
            running = True
    if found == "Completed" and running:
        ready = any(dig(c, "type") == "Ready" and dig(c, "status") == "True" for c in as_list(status.get("conditions")))
        return "Running" if ready else "NotReady"
    return found
