"""Many pods, written straight to the API server over several connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import namespaces
from lab import nodes as lab_nodes
from lab.errors import LabError
from lab.kube import Manifest, in_parallel
from lab.probes import wait_until

if TYPE_CHECKING:
    from lab.context import Lab
    from lab.kube import KubeApi

CONNECTIONS = 16
LABEL = "lab/scale"
APPLICATIONS = ("catalog", "cart", "search", "billing", "mailer", "recommender", "gateway", "indexer")
TEAMS = ("storefront", "core", "data")
PODS_PER_NODE = 110
START_SECONDS = 600.0


def fill(lab: Lab, *, pods: int, nodes: int, namespace: str) -> None:
    """Make the namespace hold exactly `pods` pods on `nodes` extra nodes, all started; 0 removes all of it."""
    if pods == 0:
        _clear(lab, namespace)
        return
    if pods > nodes * PODS_PER_NODE:
        raise LabError(f"{pods} pods need {-(-pods // PODS_PER_NODE)} nodes: a node holds {PODS_PER_NODE}")
    api = lab.api
    _ensure_nodes(api, nodes)
    namespaces.create(api, _namespace(namespace))
    present = _count(api, namespace)
    if present > pods:
        _clear(lab, namespace)
        _ensure_nodes(api, nodes)
        namespaces.create(api, _namespace(namespace))
        present = 0
    with lab.progress.work(f"writing {pods - present} pods") as ticker:

        def write(index: int) -> None:
            api.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod(index, nodes))
            ticker.tick()

        in_parallel(write, range(present, pods), connections=CONNECTIONS)
    with lab.progress.work(f"starting {pods} pods") as ticker:
        wait_until("start of all pods", lambda: _all_run(api, namespace), within=START_SECONDS, tick=ticker.tick)


def pod(index: int, nodes: int) -> Manifest:
    """A pod as a Deployment of a shop would have made it, bound to one of the extra nodes."""
    application = APPLICATIONS[index % len(APPLICATIONS)]
    revision = f"{(index % 7) * 7919 + 104729:x}"
    container: Manifest = {
        "name": application,
        "image": f"registry.example.com/{application}:1.{index % 7}.0",
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": f"{application}-db", "key": "url"}}},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 10},
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 20},
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/settings", "readOnly": True}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{application}-{revision}-{index:05d}",
            "labels": {
                LABEL: "true",
                "app": application,
                "app.kubernetes.io/name": application,
                "app.kubernetes.io/version": f"1.{index % 7}.0",
                "app.kubernetes.io/managed-by": "Helm",
                "team": TEAMS[index % len(TEAMS)],
                "pod-template-hash": revision,
            },
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "8080",
                "checksum/settings": f"{index * 2654435761 % 2**32:08x}",
                "kwok.x-k8s.io/usage-cpu": f"{10 + index % 190}m",
                "kwok.x-k8s.io/usage-memory": f"{32 + index % 200}Mi",
            },
        },
        "spec": {
            "nodeName": _node_name(index % nodes),
            "terminationGracePeriodSeconds": 30,
            "containers": [container],
            "volumes": [{"name": "settings", "configMap": {"name": f"{application}-settings", "optional": True}}],
            "tolerations": [{"key": LABEL, "operator": "Exists", "effect": "NoSchedule"}],
        },
    }


def _namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {LABEL: "true"}}}


def _node_name(index: int) -> str:
    return f"scale-{index:03d}"


def _ensure_nodes(api: KubeApi, count: int) -> None:
    present = {str(node["metadata"]["name"]) for node in api.items(lab_nodes.NODES)}
    # the taint keeps the scene's own pods away from these nodes
    taint = {"key": LABEL, "value": "true", "effect": "NoSchedule"}
    names = [_node_name(index) for index in range(count)]
    missing = [(index, name) for index, name in enumerate(names) if name not in present]
    lab_nodes.create(api, [_extra_node(name, index, taint) for index, name in missing])


def _extra_node(name: str, index: int, taint: Manifest) -> Manifest:
    node = lab_nodes.manifest(name, index % 3, taints=[taint])
    node["metadata"]["labels"][LABEL] = "true"
    return node


def _count(api: KubeApi, namespace: str) -> int:
    page = api.get(f"/api/v1/namespaces/{namespace}/pods?limit=1")
    return len(page["items"]) + int(page["metadata"].get("remainingItemCount") or 0)


def _all_run(api: KubeApi, namespace: str) -> bool:
    waiting = f"/api/v1/namespaces/{namespace}/pods?limit=1&fieldSelector=status.phase%3DPending"
    return not api.items(waiting)


def _clear(lab: Lab, namespace: str) -> None:
    with lab.progress.work(f"removing namespace {namespace}"):
        namespaces.remove(lab.api, namespace)
        extra = lab.api.items(f"{lab_nodes.NODES}?labelSelector={LABEL.replace('/', '%2F')}")
        in_parallel(lambda node: lab.api.delete(f"{lab_nodes.NODES}/{node['metadata']['name']}"), extra)
