"""The clusters of a service: one client for each configured target."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
from cloud_native_mcp.backends.kubernetes.cluster_config import ClusterConfig
from cloud_native_mcp.backends.kubernetes.exec_policy import ExecPolicy
from cloud_native_mcp.backends.kubernetes.fence import Fence, FenceRule
from cloud_native_mcp.backends.kubernetes.followed import FollowedCluster
from cloud_native_mcp.backends.kubernetes.impersonation import GroupRule, Impersonation, UserRule
from cloud_native_mcp.backends.kubernetes.in_cluster import in_cluster_access
from cloud_native_mcp.backends.kubernetes.kubeconfig import default_paths, load_kubeconfig
from cloud_native_mcp.backends.kubernetes.object_policy import ObjectPolicy
from cloud_native_mcp.contract.acting import caller
from cloud_native_mcp.contract.service import Probe
from cloud_native_mcp.errors import ConfigError, Problem, ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
    from cloud_native_mcp.backends.kubernetes.cluster_config import ClustersConfig
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import ServiceContext

IN_CLUSTER = "in-cluster"


class Cluster(Protocol):
    """One configured cluster."""

    def client(self) -> KubernetesClient:
        """Its client as of now."""
        ...


@dataclass(frozen=True, slots=True)
class FixedCluster:
    """A cluster that stays as it was at the start."""

    only: KubernetesClient

    def client(self) -> KubernetesClient:
        """The one client."""
        return self.only


class Clusters:
    """Clusters by target name; the default one comes first. The running service of each backend in a cluster."""

    def __init__(self, clusters: Mapping[str, Cluster]) -> None:
        self._clusters = dict(clusters)

    @property
    def targets(self) -> tuple[str, ...]:
        """Configured clusters, the default one first."""
        return tuple(self._clusters)

    def client(self, target: str) -> KubernetesClient:
        """The client of a configured cluster, as its kubeconfig is now; where that is set, as the present caller.

        Raises:
            ToolError: ``denied_by_policy`` when the caller is no user of the cluster.
        """
        own = self._clusters[target].client()
        return own if own.impersonation is None else own.acting_as(own.impersonation.identity_of(caller()))

    def clients(self, targets: Sequence[str]) -> list[KubernetesClient]:
        """The clients of those of the clusters where the caller is a user."""
        found: list[KubernetesClient] = []
        for target in targets:
            with contextlib.suppress(ToolError):
                found.append(self.client(target))
        return found

    async def probe(self, target: str, deadline: Deadline) -> Probe:
        """Ask the API server its version (``GET /version``), as the server itself."""
        info = await self._clusters[target].client().version(deadline)
        return Probe(version=info.git_version)

    async def close(self) -> None:
        """Nothing to release: connections belong to the shared pool."""


def configured_clusters(context: ServiceContext[ClustersConfig]) -> dict[str, Cluster]:
    """Read the kubeconfigs and make a client per cluster, the default one first; contacts none.

    Raises:
        ConfigError: a kubeconfig is missing or unusable, or a context is not in it.
    """
    problems: list[Problem] = []
    found: dict[str, Cluster] = {}
    for name, cluster in _clusters(context.config).items():
        try:
            found[name] = _cluster(context, name, cluster)
        except ConfigError as error:
            section = f"{context.name}.targets.{name}"
            problems += [Problem(f"{section}.{p.path}", p.text) for p in error.problems]
    if problems:
        raise ConfigError(problems)
    return found


def _clusters(config: ClustersConfig) -> dict[str, ClusterConfig]:
    """The configured clusters with the default first, or the one this machine knows by itself."""
    if config.targets:
        first = config.default_target or next(iter(config.targets))
        return {first: config.targets[first]} | dict(config.targets)
    if any(path.is_file() for path in default_paths(os.environ, Path.home())):
        return {load_kubeconfig(default_paths(os.environ, Path.home())).current_context or "default": ClusterConfig()}
    return {IN_CLUSTER: ClusterConfig(in_cluster=True)}


def _policy(cluster: ClusterConfig, section: str) -> ObjectPolicy:
    lists = cluster.policy.exec
    execution = ExecPolicy(lists.namespaces, lists.images, lists.commands, setting=f"{section}.policy.exec")
    return ObjectPolicy(cluster.policy.allow, setting=f"{section}.policy.allow", execution=execution)


def _fence(cluster: ClusterConfig, section: str) -> Fence:
    allow, deny = (
        [FenceRule(tuple(rule.namespaces), tuple(rule.kinds), tuple(rule.verbs)) for rule in rules]
        for rules in (cluster.fence.allow, cluster.fence.deny)
    )
    return Fence(allow, deny, setting=f"{section}.fence")


def _impersonation(cluster: ClusterConfig, access: ClusterAccess, section: str) -> Impersonation | None:
    """Who callers are in the cluster; None where all are the server.

    Raises:
        ConfigError: the kubeconfig impersonates somebody already, and both cannot be.
    """
    if cluster.identity == "server":
        return None
    if access.headers:
        raise ConfigError([Problem("identity", "impersonate excludes `as` in the kubeconfig")])
    rules = cluster.impersonate
    return Impersonation(
        [UserRule(rule.principal, rule.user, tuple(rule.methods)) for rule in rules.users],
        [GroupRule(rule.group, rule.as_group) for rule in rules.groups],
        setting=f"{section}.impersonate",
    )


def _cluster(context: ServiceContext[ClustersConfig], name: str, cluster: ClusterConfig) -> Cluster:
    section = f"{context.name}.targets.{name}"

    def connect(access: ClusterAccess) -> KubernetesClient:
        return KubernetesClient(
            name=name,
            access=access,
            http=context.http,
            cache=context.cache,
            service=context.name,
            policy=_policy(cluster, section),
            fence=_fence(cluster, section),
            impersonation=_impersonation(cluster, access, section),
        )

    if cluster.in_cluster:
        access = in_cluster_access(os.environ)
        if access is None:
            raise ConfigError([Problem("in_cluster", "this process does not run in a pod with a service account")])
        return FixedCluster(connect(access))
    paths = (cluster.kubeconfig.expanduser(),) if cluster.kubeconfig else default_paths(os.environ, Path.home())
    return FollowedCluster(name, paths, cluster.context, http=context.http, connect=connect)
