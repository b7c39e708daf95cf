"""Description of a Pod.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.pods import pod_status
from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.services.kubernetes.describe.facts import add_conditions, show
from cloud_native_mcp.services.kubernetes.describe.pod_template import add_pod_spec, container_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.services.kubernetes.describe.facts import Facts

_STATUS_OF: Final = (
    ("initContainers", "initContainerStatuses", "init"),
    ("containers", "containerStatuses", ""),
    ("ephemeralContainers", "ephemeralContainerStatuses", "ephemeral"),
)


def describe_pod(facts: Facts, pod: Mapping[str, object]) -> None:
    """Phase and reason, where it runs, each container's state with its last exit, then its specification."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    facts.add("status", pod_status(pod))
    facts.add("message", status.get("message"))
    facts.add("node", spec.get("nodeName") or "not scheduled")
    facts.add("ip", [as_str(dig(ip, "ip")) for ip in as_list(status.get("podIPs"))] or status.get("podIP"))
    facts.add("qos", status.get("qosClass"))
    facts.add("deletion", _deletion(pod))
    add_pod_spec(facts, spec)
    _add_containers(facts, spec, status)
    add_conditions(facts, pod)


def state_line(state: Mapping[str, object]) -> str:
    """A container's state on one line: what, why, exit code, since when."""
    for name, value in state.items():
        detail = as_dict(value)
        parts = [as_str(detail.get("reason"))]
        if name == "terminated":
            parts.append(f"exit {as_int(detail.get('exitCode'))}")
            parts.append(f"{ended} ago" if (ended := age(detail.get("finishedAt"))) else "")
        elif started := age(detail.get("startedAt")):
            parts.append(f"since {started}")
        parts.append(show(detail.get("message")))
        return " ".join([name, *filter(None, parts)])
    return ""


def _add_containers(facts: Facts, spec: Mapping[str, object], status: Mapping[str, object]) -> None:
    rows: list[tuple[str, str, str, str, str]] = []
    for listed, reported, label in _STATUS_OF:
        states = {as_str(dig(s, "name")): as_dict(s) for s in as_list(status.get(reported))}
        for container in map(as_dict, as_list(spec.get(listed))):
            name = as_str(container.get("name"))
            state = states.get(name, {})
            shown = f"{name} ({label})" if label else name
            rows.append(
                (
                    shown,
                    show(state.get("ready")) or "-",
                    str(as_int(state.get("restartCount"))),
                    state_line(as_dict(state.get("state"))) or "no status",
                    state_line(as_dict(state.get("lastState"))),
                )
            )
            facts.lines.append(f"container {shown}: " + "; ".join(container_lines(container)))
    facts.table("Containers", ("CONTAINER", "READY", "RESTARTS", "STATE", "LAST STATE"), rows)


def _deletion(pod: Mapping[str, object]) -> str:
    since = dig(pod, "metadata", "deletionTimestamp")
    if not since:
        return ""
    finalizers = show(dig(pod, "metadata", "finalizers"))
    return f"asked {age(since)} ago" + (f", held by finalizers {finalizers}" if finalizers else "")
