"""Events that a kubelet or an operator would have written: fixed texts and counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lab.canary import CANARY
from lab.kube import in_parallel
from lab.scene import BACKUP_FAILED, HEALTHY, LEAKY, UNHEALTHY_COUNT
from lab.servers.kwok import FATE

if TYPE_CHECKING:
    from lab.kube import KubeApi, Manifest

SERIES_COUNT = 17
_FIRST = timedelta(minutes=50)
_LAST = timedelta(minutes=2)


@dataclass(frozen=True)
class Told:
    """What an event says; `{pod}`, `{namespace}`, `{uid}`, `{container}`, `{image}` are filled in."""

    type: str
    reason: str
    message: str
    count: int = 1


_STARTED = (
    Told("Normal", "Pulled", 'Container image "{image}" already present on machine'),
    Told("Normal", "Created", "Container created"),
    Told("Normal", "Started", "Container started"),
)
_FATES: dict[str, tuple[Told, ...]] = {
    "image-pull": (
        Told("Normal", "Pulling", 'Pulling image "{image}"', 5),
        Told("Warning", "Failed", 'Failed to pull image "{image}": rpc error: code = NotFound: {image}: not found', 5),
        Told("Warning", "Failed", "Error: ErrImagePull", 5),
        Told("Normal", "BackOff", 'Back-off pulling image "{image}"', 37),
        Told("Warning", "Failed", "Error: ImagePullBackOff", 37),
    ),
    "crash-loop": (
        *(replace(told, count=13) for told in _STARTED),
        Told(
            "Warning",
            "BackOff",
            "Back-off restarting failed container {container} in pod {pod}_{namespace}({uid})",
            142,
        ),
    ),
    "oom-killed": tuple(replace(told, count=5) for told in _STARTED),
    "unready": (
        *_STARTED,
        Told("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", UNHEALTHY_COUNT),
    ),
    "config-error": (Told("Warning", "Failed", 'Error: secret "mailer-credentials" not found', 25),),
    "job-failed": _STARTED,
}
_LEAKED = Told("Warning", "Unhealthy", f"Liveness probe failed: Get http://probe:{CANARY}@10.244.0.9:8080/live: EOF", 3)


def write(api: KubeApi, namespace: str) -> None:
    """Write the events of every pod in the namespace, and the two in the newer style."""
    pods = [pod for pod in api.items(f"/api/v1/namespaces/{namespace}/pods") if pod["spec"].get("nodeName")]
    events = [_classic(pod, told, number) for pod in pods for number, told in enumerate(_told(pod))]
    events += [_series(api, role) for role in (HEALTHY, BACKUP_FAILED) if role.namespace == namespace]
    in_parallel(lambda event: api.request("POST", _collection(event), event), events)


def _told(pod: Manifest) -> tuple[Told, ...]:
    fate = str(pod["metadata"].get("annotations", {}).get(FATE, ""))
    told = _FATES.get(fate, _STARTED)
    return (*told, _LEAKED) if pod["metadata"].get("labels", {}).get("app") == LEAKY.name else told


def _collection(event: Manifest) -> str:
    root = "/api/v1" if event["apiVersion"] == "v1" else f"/apis/{event['apiVersion']}"
    return f"{root}/namespaces/{event['metadata']['namespace']}/events"


def _classic(pod: Manifest, told: Told, number: int) -> Manifest:
    """An event as kubelets write it: core/v1 with a count."""
    metadata, container = pod["metadata"], pod["spec"]["containers"][0]
    now = datetime.now(UTC)
    first = now - (_FIRST if told.count > 1 else _FIRST + timedelta(seconds=10 - number))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.kubelet-{number}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "fieldPath": f"spec.containers{{{container['name']}}}",
        },
        "type": told.type,
        "reason": told.reason,
        "message": told.message.format(
            pod=metadata["name"],
            namespace=metadata["namespace"],
            uid=metadata["uid"],
            container=container["name"],
            image=container["image"],
        ),
        "count": told.count,
        "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
        "firstTimestamp": _seconds(first),
        "lastTimestamp": _seconds(now - _LAST if told.count > 1 else first),
        "reportingComponent": "kubelet",
        "reportingInstance": pod["spec"]["nodeName"],
    }


_NEW_STYLE: dict[str, tuple[str, Told]] = {
    BACKUP_FAILED.name: (
        "ops.example.com/v1",
        Told("Warning", "BackupFailed", "upload to s3://backups/shop-db failed: bucket unreachable", SERIES_COUNT),
    ),
    HEALTHY.name: ("apps/v1", Told("Normal", "ConfigChecked", "configuration is valid", SERIES_COUNT)),
}


def _series(api: KubeApi, role: tuple[str, str, str]) -> Manifest:
    """An event in the style of events.k8s.io/v1: no count, a series instead."""
    kind, namespace, name = role
    api_version, told = _NEW_STYLE[name]
    regarding = api.get(api.resource(api_version, kind).path(namespace, name))
    now = datetime.now(UTC)
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.operator", "namespace": namespace},
        "eventTime": _microseconds(now - _FIRST),
        "series": {"count": told.count, "lastObservedTime": _microseconds(now - _LAST)},
        "reportingController": "operator.example.com",
        "reportingInstance": "operator-0",
        "action": "Reconcile",
        "type": told.type,
        "reason": told.reason,
        "note": told.message,
        "regarding": {
            "apiVersion": api_version,
            "kind": kind,
            "namespace": namespace,
            "name": name,
            "uid": regarding["metadata"]["uid"],
        },
    }


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _microseconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
