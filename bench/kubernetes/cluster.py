"""What the lab's cluster holds while Kubernetes tools are measured: two namespaces of pods, and events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lab import lifecycle, scale
from lab.kube import in_parallel
from lab.progress import Progress
from lab.state import State, default_root

if TYPE_CHECKING:
    from lab.kube import KubeApi, Manifest

SMALL: Final = "bench-small"
LARGE: Final = "bench-large"
SMALL_PODS: Final = 59
LARGE_PODS: Final = 2_000
EVENTS: Final = 300
_NODES: Final = 20


def prepare(large_pods: int = LARGE_PODS) -> None:
    """Fill the namespaces of the lab that is up; what is there already stays.

    Args:
        large_pods: pods of the large namespace; figures are comparable only with the default.
    """
    lab = lifecycle.attach(State(default_root()), progress=Progress())
    try:
        scale.fill(lab, pods=large_pods, nodes=_NODES, namespace=LARGE)
        scale.fill(lab, pods=SMALL_PODS, nodes=_NODES, namespace=SMALL)
        _write_events(lab.api)
    finally:
        lab.close()


def pod_name(api: KubeApi) -> str:
    """A pod of the small namespace."""
    return str(api.items(f"/api/v1/namespaces/{SMALL}/pods?limit=1")[0]["metadata"]["name"])


def small_pod() -> str:
    """The pod that is got and described."""
    lab = lifecycle.attach(State(default_root()), progress=Progress(quiet=True))
    try:
        return pod_name(lab.api)
    finally:
        lab.close()


def _write_events(api: KubeApi) -> None:
    path = f"/api/v1/namespaces/{SMALL}/events"
    present = len(api.items(path))
    pods = [str(pod["metadata"]["name"]) for pod in api.items(f"/api/v1/namespaces/{SMALL}/pods")]
    now = datetime.now(UTC)
    wanted = [_event(index, pods[index % len(pods)], now) for index in range(present, EVENTS)]
    in_parallel(lambda event: api.request("POST", path, event), wanted)


def _event(index: int, pod: str, now: datetime) -> Manifest:
    last = (now - timedelta(seconds=index)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{pod}.{index:016x}"},
        "type": "Warning",
        "reason": ("Unhealthy", "BackOff", "FailedMount")[index % 3],
        "message": f"Readiness probe failed: HTTP probe failed with statuscode: {500 + index % 4}",
        "count": 1 + index % 40,
        "firstTimestamp": last,
        "lastTimestamp": last,
        "source": {"component": "kubelet", "host": f"scale-{index % _NODES:03d}"},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": SMALL, "name": pod},
    }
