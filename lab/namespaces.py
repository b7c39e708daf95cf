"""Creating and removing namespaces quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.kube import in_parallel
from lab.probes import wait_until

if TYPE_CHECKING:
    from lab.kube import KubeApi, Manifest, Resource

CREATE_SECONDS = 60.0
REMOVE_SECONDS = 180.0
# what would make pods again, or hold back the end of a namespace for a pod's grace period
_OWNERS = (
    *("/apis/batch/v1/cronjobs", "/apis/batch/v1/jobs", "/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets"),
    *("/apis/apps/v1/daemonsets", "/apis/apps/v1/replicasets", "/api/v1/replicationcontrollers"),
)
# what every namespace gets
_GIVEN = ("/serviceaccounts/default", "/configmaps/kube-root-ca.crt")
_COMPUTED_GROUPS = frozenset({"metrics.k8s.io"})


def create(api: KubeApi, manifest: Manifest) -> None:
    """Create a namespace and wait for the account that its pods run as."""
    api.apply(manifest)
    account = f"/api/v1/namespaces/{manifest['metadata']['name']}/serviceaccounts/default"
    wait_until("creation of the default service account", lambda: api.find(account) is not None, within=CREATE_SECONDS)


def empty(api: KubeApi, name: str) -> None:
    """Delete all that a namespace holds, without grace for its pods, but not the namespace: its end takes long."""
    _delete_pods(api, name)
    paths = [resource.path(name) for resource in _resources(api)]

    def is_empty() -> bool:
        listed = in_parallel(lambda path: [(path, item) for item in api.items(path)], paths)
        left = [f"{path}/{item['metadata']['name']}" for part in listed for path, item in part]
        foreign = [path for path in left if not path.endswith(_GIVEN)]
        in_parallel(lambda path: api.delete(path, grace=0), foreign)
        return not foreign

    wait_until(f"emptying of namespace {name}", is_empty, within=REMOVE_SECONDS)


def _resources(api: KubeApi) -> list[Resource]:
    """One way to each namespaced kind that can be deleted."""
    chosen: dict[tuple[str, str], Resource] = {}
    for _, resource in api.resources():
        group = resource.group_version.rpartition("/")[0]
        if resource.namespaced and {"list", "delete"} <= resource.verbs and group not in _COMPUTED_GROUPS:
            chosen.setdefault((group, resource.plural), resource)
    return list(chosen.values())


def _delete_pods(api: KubeApi, name: str) -> None:
    """Delete first what would make pods again, then the pods."""
    for owner in _OWNERS:
        prefix, _, plural = owner.rpartition("/")
        api.delete(f"{prefix}/namespaces/{name}/{plural}")
    path = f"/api/v1/namespaces/{name}/pods"
    pods = [str(pod["metadata"]["name"]) for pod in api.items(path)]
    in_parallel(lambda pod: api.delete(f"{path}/{pod}", grace=0), pods)


def remove(api: KubeApi, name: str) -> None:
    """Delete a namespace with all it holds, without grace for its pods, and wait until it is gone."""
    path = f"/api/v1/namespaces/{name}"
    if api.find(path) is None:
        return
    _delete_pods(api, name)
    api.delete(path)
    wait_until(f"removal of namespace {name}", lambda: api.find(path) is None, within=REMOVE_SECONDS)
