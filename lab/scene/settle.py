"""When a namespace of the scene has come to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lab.errors import LabError
from lab.probes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.kube import KubeApi, Manifest

REST_SECONDS = 120.0


def wait_at_rest(api: KubeApi, namespace: str) -> None:
    """Wait until no controller and no kubelet has anything left to do in the namespace."""
    moving: list[str] = []

    def at_rest() -> bool:
        moving[:] = _moving(api, namespace)
        return not moving

    try:
        wait_until(f"rest in namespace {namespace}", at_rest, within=REST_SECONDS)
    except LabError as error:
        raise LabError(f"{error}; still moving: {', '.join(moving)}") from None


def wait_rolled_out(api: KubeApi, path: str, *, stuck: bool) -> None:
    """Wait until the newest revision of a workload runs everywhere, or has been given up if it is `stuck`."""

    def done() -> bool:
        workload = api.get(path)
        if stuck:
            return _given_up(workload) and _observed(workload)
        return _CHECKS[str(workload["kind"])](workload) and not _given_up(workload)

    wait_until(f"rollout of {path.rpartition('/')[2]}", done, within=REST_SECONDS)


def condition(manifest: Manifest, name: str) -> Manifest:
    """A condition of an object's status; empty when it has none of that name."""
    conditions = cast("list[Manifest]", manifest.get("status", {}).get("conditions") or [])
    nothing: Manifest = {}
    return next((entry for entry in conditions if entry["type"] == name), nothing)


def _moving(api: KubeApi, namespace: str) -> list[str]:
    collections: dict[str, Callable[[Manifest], bool]] = {
        f"/apis/apps/v1/namespaces/{namespace}/deployments": _deployment_rests,
        f"/apis/apps/v1/namespaces/{namespace}/statefulsets": _stateful_set_rests,
        f"/apis/apps/v1/namespaces/{namespace}/daemonsets": _daemon_set_rests,
        f"/apis/batch/v1/namespaces/{namespace}/jobs": _job_rests,
        f"/api/v1/namespaces/{namespace}/pods": _pod_rests,
    }
    return [
        f"{path.rpartition('/')[2]} {item['metadata']['name']}"
        for path, rests in collections.items()
        for item in api.items(path)
        if not rests(item)
    ]


def _observed(workload: Manifest) -> bool:
    return workload["status"].get("observedGeneration", 0) >= workload["metadata"]["generation"]


def _given_up(workload: Manifest) -> bool:
    return condition(workload, "Progressing").get("reason") == "ProgressDeadlineExceeded"


def _complete(deployment: Manifest) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return _observed(deployment) and counts == [wanted] * 3


def _deployment_rests(deployment: Manifest) -> bool:
    return _complete(deployment) or (_observed(deployment) and _given_up(deployment))


def _stateful_set_rests(workload: Manifest) -> bool:
    status, wanted = workload["status"], workload["spec"]["replicas"]
    same = status.get("currentRevision") == status.get("updateRevision")
    return _observed(workload) and same and status.get("replicas") == status.get("availableReplicas") == wanted


def _daemon_set_rests(workload: Manifest) -> bool:
    status = workload["status"]
    wanted = status.get("desiredNumberScheduled", 0)
    there = (status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0))
    return _observed(workload) and wanted > 0 and there == (wanted, wanted)


def _job_rests(job: Manifest) -> bool:
    return any(condition(job, name).get("status") == "True" for name in ("Complete", "Failed"))


def _pod_rests(pod: Manifest) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    owners = cast("list[Manifest]", pod["metadata"].get("ownerReferences") or [])
    if any(owner["kind"] == "Job" for owner in owners):
        return pod["status"].get("phase") in ("Succeeded", "Failed")
    unschedulable = condition(pod, "PodScheduled").get("reason") == "Unschedulable"
    return bool(pod["status"].get("containerStatuses")) or unschedulable


_CHECKS: dict[str, Callable[[Manifest], bool]] = {
    "Deployment": _complete,
    "StatefulSet": _stateful_set_rests,
    "DaemonSet": _daemon_set_rests,
}
