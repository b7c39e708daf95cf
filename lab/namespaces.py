"""Creating and removing namespaces quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.kube import in_parallel
from lab.probes import wait_until

if TYPE_CHECKING:
    from lab.kube import KubeApi, Manifest

CREATE_SECONDS = 60.0
REMOVE_SECONDS = 180.0
# what would make pods again, or hold back the end of a namespace for a pod's grace period
_OWNERS = (
    *("/apis/batch/v1/cronjobs", "/apis/batch/v1/jobs", "/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets"),
    *("/apis/apps/v1/daemonsets", "/apis/apps/v1/replicasets", "/api/v1/replicationcontrollers"),
)


def create(api: KubeApi, manifest: Manifest) -> None:
    """Create a namespace and wait for the account that its pods run as."""
    api.apply(manifest)
    account = f"/api/v1/namespaces/{manifest['metadata']['name']}/serviceaccounts/default"
    wait_until("creation of the default service account", lambda: api.find(account) is not None, within=CREATE_SECONDS)


def remove(api: KubeApi, name: str) -> None:
    """Delete a namespace with all it holds, without grace for its pods, and wait until it is gone."""
    path = f"/api/v1/namespaces/{name}"
    if api.find(path) is None:
        return
    for owner in _OWNERS:
        prefix, _, plural = owner.rpartition("/")
        api.delete(f"{prefix}/namespaces/{name}/{plural}")
    pods = [str(pod["metadata"]["name"]) for pod in api.items(f"{path}/pods")]
    in_parallel(lambda pod: api.delete(f"{path}/pods/{pod}", grace=0), pods)
    api.delete(path)
    wait_until(f"removal of namespace {name}", lambda: api.find(path) is None, within=REMOVE_SECONDS)
