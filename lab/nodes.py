"""The nodes of the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.kube import Manifest, in_parallel
from lab.probes import wait_until
from lab.recipes import KUBERNETES_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.kube import KubeApi

NODES = "/api/v1/nodes"
READY_SECONDS = 60.0
CAPACITY = {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "200Gi"}


def node_name(index: int) -> str:
    """The name of one of the lab's own nodes."""
    return f"node-{index}"


def metrics_path(name: str) -> str:
    """Where kwok serves what the kubelet of a node would serve at /metrics/resource."""
    return f"/metrics/nodes/{name}/metrics/resource"


def manifest(name: str, zone: int, *, taints: Sequence[Manifest] = ()) -> Manifest:
    """A node of 32 CPUs and 128 GiB that kwok plays."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "kwok.x-k8s.io/node": "fake",
                "metrics.k8s.io/resource-metrics-path": metrics_path(name),
            },
            "labels": {
                "type": "kwok",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name,
                "node-role.kubernetes.io/worker": "",
                "topology.kubernetes.io/region": "lab",
                "topology.kubernetes.io/zone": f"lab-{zone}",
            },
        },
        "spec": {"taints": list(taints)} if taints else {},
        "status": {"allocatable": CAPACITY, "capacity": CAPACITY, "nodeInfo": _node_info(name), "phase": "Running"},
    }


def _node_info(name: str) -> dict[str, str]:
    return {
        "architecture": "amd64",
        "operatingSystem": "linux",
        "kubeletVersion": KUBERNETES_VERSION,
        "kubeProxyVersion": KUBERNETES_VERSION,
        "containerRuntimeVersion": "containerd://2.2.0",
        "osImage": "Debian GNU/Linux 13 (trixie)",
        "kernelVersion": "6.12.0",
        "bootID": f"boot-{name}",
        "machineID": f"machine-{name}",
        "systemUUID": f"system-{name}",
    }


def ensure(api: KubeApi, count: int) -> None:
    """Create the lab's nodes that are missing and wait until all are ready."""
    present = {str(node["metadata"]["name"]) for node in api.items(NODES)}
    missing = [index for index in range(count) if node_name(index) not in present]
    create(api, [manifest(node_name(index), index % 3) for index in missing])


def create(api: KubeApi, manifests: Sequence[Manifest]) -> None:
    """Create nodes and wait until every node of the lab is ready."""
    in_parallel(lambda node: api.request("POST", NODES, node), manifests)
    wait_until("readiness of all nodes", lambda: all(is_ready(node) for node in api.items(NODES)), within=READY_SECONDS)


def is_ready(node: Manifest) -> bool:
    """Whether a node says that it is ready."""
    conditions: list[Manifest] = node.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
