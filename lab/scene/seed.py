"""Seeding the scene."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from lab import counters, namespaces
from lab.errors import LabError
from lab.kube import in_parallel
from lab.probes import wait_until
from lab.processes import server_environment
from lab.scene import HEALTHY, NAMESPACES, RELEASES, SHOP, VACANT, events, load, logs, releases, tls
from lab.scene.settle import wait_at_rest, wait_rolled_out
from lab.servers.kwok import FATE

if TYPE_CHECKING:
    from lab.context import Lab
    from lab.kube import KubeApi, Manifest

KUBECTL_SECONDS = 60
QUOTA_SECONDS = 30.0
CLAIM_SECONDS = 30.0
METRICS_SECONDS = 120.0
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod")
_AUTOSCALER = "HorizontalPodAutoscaler"


def seed_cluster(lab: Lab) -> None:
    """Apply what belongs to no namespace, and the empty namespace."""
    kinds = load.manifests("cluster")
    namespaces.create(lab.api, next(manifest for manifest in kinds if manifest["kind"] == "Namespace"))
    for manifest in kinds:
        lab.api.apply(manifest)
    logs.write_fallback(lab.api, lab.state.pod_logs)


def seed_namespace(lab: Lab, name: str) -> None:
    """Seed one of NAMESPACES, absent or empty, but for its autoscalers, and wait until it is at rest."""
    api, objects = lab.api, [manifest for manifest in load.manifests(name) if manifest["kind"] != _AUTOSCALER]
    namespaces.create(api, objects[0])
    support = [manifest for manifest in objects[1:] if manifest["kind"] not in _WORKLOADS]
    support += [tls.secret()] if name == SHOP else []
    _provide_volumes(api, [manifest for manifest in support if manifest["kind"] == "PersistentVolume"])
    in_parallel(lambda manifest: _apply_with_status(api, manifest), support)
    _wait_quotas(api, name)
    _wait_claims(api, name)
    _apply_with_kubectl(lab, name)
    histories = {(entry["kind"], entry["name"]): entry for entry in load.revisions() if entry["namespace"] == name}
    workloads = [manifest for manifest in objects if manifest["kind"] in _WORKLOADS]
    owned = [manifest for manifest in workloads if "ownerReferences" in manifest["metadata"]]
    in_parallel(
        lambda manifest: _roll_out(api, manifest, histories.get((manifest["kind"], manifest["metadata"]["name"]))),
        [manifest for manifest in workloads if manifest not in owned],
    )
    for manifest in owned:
        _apply_owned(api, manifest)
    if name == RELEASES:
        releases.install(lab)
    wait_at_rest(api, name)
    logs.write(api, name, lab.state.pod_logs)
    events.write(api, name)


def seed_autoscalers(lab: Lab) -> None:
    """Apply the autoscalers once their pods are measured, so that none complains of missing metrics."""
    if lab.api.find("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io") is not None:
        counters.start(lab)
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{HEALTHY.namespace}/pods?labelSelector=app%3D{HEALTHY.name}"
        wait_until("measurement of the shop's pods", lambda: len(lab.api.items(path)) >= 3, within=METRICS_SECONDS)
    for name in NAMESPACES:
        for manifest in load.manifests(name):
            if manifest["kind"] == _AUTOSCALER:
                lab.api.apply(manifest)


def drop_noise(lab: Lab) -> None:
    """Remove the warnings of the API server's first look at its own address table, which come now and then."""
    found = lab.api.items("/api/v1/events?fieldSelector=reason%3DClusterIPNotAllocated")
    in_parallel(lambda event: lab.api.delete(lab.api.path_of({"apiVersion": "v1", "kind": "Event", **event})), found)


def empty(lab: Lab, name: str) -> None:
    """Empty a namespace of the scene, if it exists, so that it can be seeded again."""
    if lab.api.find(f"/api/v1/namespaces/{name}") is not None:
        namespaces.empty(lab.api, name)
    volumes = [item for item in load.manifests(name) if item["kind"] == "PersistentVolume"] if name != VACANT else []
    paths = [lab.api.path_of(item) for item in volumes]
    for path in paths:
        lab.api.delete(path)
    wait_until("removal of volumes", lambda: not any(lab.api.find(path) for path in paths), within=CLAIM_SECONDS)


def _apply_with_status(api: KubeApi, manifest: Manifest) -> None:
    """Apply an object; the status of a custom one is a request of its own."""
    api.apply({key: value for key, value in manifest.items() if key != "status"})
    if "status" in manifest:
        api.merge(f"{api.path_of(manifest)}/status", {"status": manifest["status"]})


def _wait_quotas(api: KubeApi, namespace: str) -> None:
    """Pods are refused until the quota controller has counted for the first time."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"

    def counted() -> bool:
        return all(quota.get("status", {}).get("hard") for quota in api.items(path))

    wait_until(f"counting of the quota of {namespace}", counted, within=QUOTA_SECONDS)


def _provide_volumes(api: KubeApi, volumes: list[Manifest]) -> None:
    """Claims that come before their volumes are looked at again only much later."""
    for manifest in volumes:
        api.apply(manifest)

    def available() -> bool:
        return all(api.get(api.path_of(manifest))["status"].get("phase") == "Available" for manifest in volumes)

    wait_until("availability of the volumes", available, within=CLAIM_SECONDS)


def _wait_claims(api: KubeApi, namespace: str) -> None:
    """The scheduler complains about pods whose claims are not bound yet."""
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"

    def bound() -> bool:
        return all(
            claim["status"].get("phase") == "Bound" for claim in api.items(path) if "volumeName" in claim["spec"]
        )

    wait_until(f"binding of the claims of {namespace}", bound, within=CLAIM_SECONDS)


def _apply_with_kubectl(lab: Lab, namespace: str) -> None:
    file = load.kubectl_file(namespace)
    if file is None:
        return
    command = [lab.binary("kubectl"), f"--kubeconfig={lab.kubeconfig('admin')}", "apply", "--filename=-"]
    result = subprocess.run(
        command,
        input=load.text(file),
        env=server_environment(),
        capture_output=True,
        text=True,
        timeout=KUBECTL_SECONDS,
        check=False,
    )
    if result.returncode != 0:
        raise LabError(f"kubectl apply of {file.name} failed: {result.stderr.strip()}")


def _roll_out(api: KubeApi, manifest: Manifest, history: dict[str, Any] | None) -> None:
    """Apply a workload, one revision after the other if it has a history."""
    if history is None:
        api.apply(manifest)
        return
    for step in history["steps"]:
        template = manifest["spec"]["template"]
        template["spec"]["containers"][0]["image"] = step["image"]
        manifest["metadata"].setdefault("annotations", {})["kubernetes.io/change-cause"] = step["cause"]
        if "fate" in step:
            template["metadata"]["annotations"][FATE] = step["fate"]
        api.apply(manifest)
        wait_rolled_out(api, api.path_of(manifest), stuck=bool(step.get("stuck")))


def _apply_owned(api: KubeApi, manifest: Manifest) -> None:
    """Apply an object whose owner is part of the scene, with the owner's real uid."""
    owner = manifest["metadata"]["ownerReferences"][0]
    resource = api.resource(owner["apiVersion"], owner["kind"])
    owner["uid"] = api.get(resource.path(manifest["metadata"]["namespace"], owner["name"]))["metadata"]["uid"]
    api.apply(manifest)
