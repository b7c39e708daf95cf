"""What is in the cluster, without what changes by itself: the measure of whether the scene was touched."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from lab.kube import in_parallel

if TYPE_CHECKING:
    from lab.kube import KubeApi, Manifest, Resource

# group → kinds that controllers keep by themselves, and that nobody restores
_OWN_ACCOUNT: dict[str, frozenset[str]] = {
    "": frozenset({"Event", "Endpoints", "ComponentStatus"}),
    "events.k8s.io": frozenset({"Event"}),
    "coordination.k8s.io": frozenset({"Lease"}),
    "discovery.k8s.io": frozenset({"EndpointSlice"}),
    "apiregistration.k8s.io": frozenset({"APIService"}),
    "networking.k8s.io": frozenset({"IPAddress", "ServiceCIDR"}),
    "storage.k8s.io": frozenset({"CSINode", "VolumeAttachment"}),
}
_IGNORED_GROUPS = frozenset({"kwok.x-k8s.io", "metrics.k8s.io", "flowcontrol.apiserver.k8s.io"})
_VOLATILE = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "selfLink")

Key = str
"""`group/version Kind namespace name`."""


def take(api: KubeApi) -> dict[Key, Manifest]:
    """Every object that a person could have changed, stripped of what the cluster changes by itself."""
    seen: set[tuple[str, str]] = set()
    wanted: list[tuple[str, Resource]] = []
    for kind, resource in api.resources():
        group = resource.group_version.rpartition("/")[0]
        if (group, kind) in seen or not {"list", "delete"} <= resource.verbs or _ignored(group, kind):
            continue
        seen.add((group, kind))
        wanted.append((kind, resource))
    listed = in_parallel(lambda entry: _list(api, *entry), wanted)
    return {key: stripped for part in listed for key, stripped in part.items()}


def digest(manifest: Manifest) -> str:
    """A short digest of a stripped object."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:20]


def namespace_of(key: Key) -> str:
    """The namespace in a key; empty for an object outside of namespaces."""
    return key.split(" ")[2]


def strip(manifest: Manifest) -> Manifest:
    """An object without status and volatile metadata; a pod keeps its uid, since another pod is another scene."""
    stripped = {key: value for key, value in manifest.items() if key != "status"}
    volatile = [name for name in _VOLATILE if not (name == "uid" and manifest["kind"] == "Pod")]
    stripped["metadata"] = {key: value for key, value in manifest["metadata"].items() if key not in volatile}
    return stripped


def _ignored(group: str, kind: str) -> bool:
    return group in _IGNORED_GROUPS or kind in _OWN_ACCOUNT.get(group, frozenset())


def _list(api: KubeApi, kind: str, resource: Resource) -> dict[Key, Manifest]:
    found: dict[Key, Manifest] = {}
    for item in api.items(resource.path()):
        item |= {"apiVersion": resource.group_version, "kind": kind}
        namespace = str(item["metadata"].get("namespace", ""))
        found[f"{resource.group_version} {kind} {namespace} {item['metadata']['name']}"] = strip(item)
    return found
