"""Settings of the clusters a service works with."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from cloud_native_mcp.backends.kubernetes.impersonation import may_be
from cloud_native_mcp.backends.kubernetes.in_cluster import in_cluster_access
from cloud_native_mcp.backends.kubernetes.kubeconfig import default_paths
from cloud_native_mcp.backends.kubernetes.object_policy import Permit  # noqa: TC001 - pydantic reads it
from cloud_native_mcp.contract.configuration import Section, ServiceConfig
from cloud_native_mcp.contract.principal import AuthMethod  # noqa: TC001 - pydantic reads it


class ExecConfig(Section):
    """Which commands may be run in containers, where the effect `destroy` is allowed."""

    namespaces: list[str] = Field(
        default=["*"],
        description=(
            "Namespaces in which commands may be run; `*` stands for any text. Those of Kubernetes itself need "
            "`system_namespaces` in `policy.allow` as well."
        ),
    )
    commands: list[str] = Field(
        default=["*"],
        description=(
            "Commands that may be run, by their first words: `cat /etc/hosts` permits that with further arguments, "
            "`sh` permits everything, as `*` does."
        ),
    )
    images: list[str] = Field(
        default=[],
        description=(
            "Images of debug containers and temporary pods, as callers write them; `*` stands for any text, as in "
            "`registry.example.com/tools/*`. Without any, no new container is made."
        ),
    )


class PolicyConfig(Section):
    """What may be done in spite of the defaults."""

    allow: list[Permit] = Field(
        default=[],
        description=(
            "What is refused by default, to be permitted: privileged containers, `host_path` volumes, "
            "`host_namespaces` and ports, added `capabilities`, `cluster_admin` rights, changes in "
            "`system_namespaces`, `delete_cluster_objects` (namespaces, nodes, volumes, definitions of kinds), "
            "`drain_nodes`, `approve_certificates`, which hands out credentials, and `reveal_secrets`, which answers "
            "values of Secrets in clear."
        ),
    )
    exec: ExecConfig = Field(default=ExecConfig(), description="Which commands may be run in containers.")


_NAMESPACE: Final = re.compile(r"[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?")
_KIND: Final = re.compile(r"[a-z0-9*][a-z0-9.*-]{0,300}(/[a-z*]+)?")


def _namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise ValueError("must be the name of a namespace, in which `*` stands for any text")
    return text


def _kind(text: str) -> str:
    if not _KIND.fullmatch(text):
        raise ValueError("must be a plural with its group, as `kubectl api-resources -o name` prints it: `secrets`")
    return text


Namespace = Annotated[str, AfterValidator(_namespace)]
FencedKind = Annotated[str, AfterValidator(_kind)]
Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]


class FenceRuleConfig(Section):
    """Requests, by what they reach: those that fit all lists that are given."""

    namespaces: list[Namespace] = Field(
        default=[],
        description=(
            "Namespaces; `*` stands for any text. With this list the rule is about objects in namespaces only (and "
            "about those Namespaces themselves), without it about everything."
        ),
    )
    kinds: list[FencedKind] = Field(
        default=[],
        description=(
            "Plurals with their group, as `kubectl api-resources -o name` prints them: `secrets`, `deployments.apps`, "
            "`*.rbac.authorization.k8s.io`, each with its subresources; or one subresource, such as `pods/exec`."
        ),
    )
    verbs: list[Verb] = Field(
        default=[],
        description=(
            "Verbs of the API. `exec`, `attach` and `portforward` are `create`; an apply is `patch` and `create`, an "
            "eviction `create` and `delete`."
        ),
    )


class FenceConfig(Section):
    """Which requests to the cluster leave this server at all, whatever its account may do there."""

    allow: list[FenceRuleConfig] = Field(
        default=[],
        description=(
            "What is let through; without any rule everything. Kubelets, which know the pods of all namespaces, are "
            "behind `nodes/proxy`: with any fence a rule has to name that."
        ),
    )
    deny: list[FenceRuleConfig] = Field(
        default=[], description="What is kept back of that, such as `[{kinds: [secrets]}]`."
    )


def _kubernetes_name(text: str) -> str:
    """What is around the placeholder must not make a name of Kubernetes itself."""
    if not may_be(text):
        raise ValueError(
            "must be printable ASCII without blanks at its ends, and never begin with `system:`: users and groups of "
            "Kubernetes itself, such as system:masters, are nobody's"
        )
    return text


KubernetesName = Annotated[str, AfterValidator(_kubernetes_name)]


class UserRuleConfig(Section):
    """Callers and the Kubernetes user they are."""

    principal: str = Field(min_length=1, description="Id of the caller; `*` stands for any text.")
    methods: list[AuthMethod] = Field(
        default=[],
        description=(
            "How the caller must have authenticated, such as `jwt`. Without this list every way will do that proves "
            "who calls; `none` (a server without authentication) and `local` (the terminal) have to be named."
        ),
    )
    user: KubernetesName = Field(
        description="The Kubernetes user; `{id}` stands for the caller's id, as in `mcp:{id}`."
    )


class GroupRuleConfig(Section):
    """Groups of callers and the Kubernetes group they are."""

    group: str = Field(min_length=1, description="Group of the caller; `*` stands for any text.")
    as_group: KubernetesName = Field(
        default="{group}", description="The Kubernetes group; `{group}` stands for the caller's, as in `mcp:{group}`."
    )


class ImpersonateConfig(Section):
    """Which Kubernetes users callers are. Who is on no list is refused."""

    users: list[UserRuleConfig] = Field(
        default=[], description="Callers; of several rules that fit, the first counts. One without a rule is refused."
    )
    groups: list[GroupRuleConfig] = Field(
        default=[],
        description=(
            "Groups of callers; of several rules that fit, the first counts. A group without a rule is left out, and "
            "so is what would begin with `system:`."
        ),
    )


class ClusterConfig(Section):
    """One cluster and the identity the server uses there."""

    kubeconfig: Path | None = Field(
        default=None,
        description="Kubeconfig file, followed when it changes; without it `$KUBECONFIG`, else `~/.kube/config`.",
    )
    context: str | None = Field(
        default=None, description="Context in that file; without it the current one at the start."
    )
    in_cluster: bool = Field(default=False, description="Use the pod's own service account instead of a kubeconfig.")
    policy: PolicyConfig = Field(default=PolicyConfig(), description="What may be written to this cluster.")
    identity: Literal["server", "impersonate"] = Field(
        default="server",
        description=(
            "As whom calls are made: `server`, the identity of the kubeconfig, or `impersonate`, the Kubernetes user "
            "that `impersonate` tells for the caller, so that the cluster's own RBAC decides. Discovery and health "
            "checks are the server's in both cases, and no kind is watched for callers with rights of their own."
        ),
    )
    impersonate: ImpersonateConfig = Field(
        default=ImpersonateConfig(), description="Which Kubernetes users callers are, with `identity: impersonate`."
    )
    fence: FenceConfig = Field(
        default=FenceConfig(), description="What of this cluster may be reached at all, by namespace, kind and verb."
    )

    @model_validator(mode="after")
    def _one_source(self) -> ClusterConfig:
        if self.in_cluster and (self.kubeconfig is not None or self.context is not None):
            raise ValueError("in_cluster excludes kubeconfig and context")
        return self

    @model_validator(mode="after")
    def _somebody_may(self) -> ClusterConfig:
        if self.identity == "impersonate" and not self.impersonate.users:
            raise ValueError("identity impersonate needs impersonate.users: without a rule every caller is refused")
        if self.identity == "server" and (self.impersonate.users or self.impersonate.groups):
            raise ValueError("impersonate has no effect without identity: impersonate")
        return self


class ClustersConfig(ServiceConfig):
    """Which clusters a service works with; without any, the one this machine knows by itself."""

    targets: dict[str, ClusterConfig] = Field(default={}, description="Clusters by the name that tools use.")
    default_target: str = Field(
        default="", description="Cluster that calls without `target` mean; without it the first one."
    )

    @model_validator(mode="after")
    def _default_exists(self) -> ClustersConfig:
        if self.default_target and self.default_target not in self.targets:
            raise ValueError(f"default_target {self.default_target!r} is not one of the targets")
        return self

    @property
    def wanted(self) -> bool:
        """On when asked for, when a cluster is configured, or when this machine knows one by itself."""
        if self.enabled != "auto":
            return self.enabled
        return bool(self.targets) or _knows_a_cluster()


def _knows_a_cluster() -> bool:
    paths = default_paths(os.environ, Path.home())
    return any(path.is_file() for path in paths) or in_cluster_access(os.environ) is not None
