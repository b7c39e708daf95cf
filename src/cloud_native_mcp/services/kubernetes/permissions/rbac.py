"""RBAC evaluated from its objects: which subjects a rule reaches, through which binding and role.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector, matches
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline

GROUP: Final = "rbac.authorization.k8s.io"
ANY: Final = "*"
DANGEROUS: Final = frozenset({"escalate", "bind", "impersonate", ANY})
"""Verbs that let a subject take more rights than the rule says."""
ShapeT = TypeVar("ShapeT")


class Rule(msgspec.Struct, gc=False, rename="camel"):
    """What a role allows."""

    verbs: list[str] = []
    api_groups: list[str] = []
    resources: list[str] = []
    resource_names: list[str] = []
    non_resource_urls: list[str] = msgspec.field(name="nonResourceURLs", default_factory=list[str])


class _Aggregation(msgspec.Struct, gc=False, rename="camel"):
    cluster_role_selectors: list[LabelSelector] = []


class Role(msgspec.Struct, gc=False, rename="camel"):
    """A Role or ClusterRole."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    rules: list[Rule] | None = None
    aggregation_rule: _Aggregation | None = None


class Subject(msgspec.Struct, gc=False, frozen=True):
    """Who a binding is for."""

    kind: str = ""
    name: str = ""
    namespace: str = ""

    @property
    def text(self) -> str:
        """``user:jane``, ``group:dev``, ``sa:shop/web``: the form the tool takes."""
        if self.kind == "ServiceAccount":
            return f"sa:{self.namespace}/{self.name}"
        return f"{self.kind.lower()}:{self.name}"


class _RoleRef(msgspec.Struct, gc=False):
    kind: str = ""
    name: str = ""


class Binding(msgspec.Struct, gc=False, rename="camel"):
    """A RoleBinding or ClusterRoleBinding."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    subjects: list[Subject] | None = None
    role_ref: _RoleRef = msgspec.field(default_factory=_RoleRef)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to do: a verb on a resource (``group``, ``resource[/subresource]``) or on a URL path."""

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    path: str = ""

    def allowed_by(self, rule: Rule) -> bool:
        """Whether the rule covers it."""
        if not _covers(rule.verbs, self.verb):
            return False
        if self.path:
            return any(_covers_path(url, self.path) for url in rule.non_resource_urls)
        if not _covers(rule.api_groups, self.group) or not _covers_resource(rule.resources, self.resource):
            return False
        return not rule.resource_names or self.name in rule.resource_names


@dataclass(frozen=True, slots=True)
class Grant:
    """One way a subject comes to a right. ``scope`` is a namespace, or ``cluster``."""

    subject: Subject
    scope: str
    binding: str
    role: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Policy:
    """All roles and bindings of a cluster that matter for one namespace, or for the cluster scope."""

    roles: Mapping[tuple[str, str, str], Sequence[Rule]]
    bindings: Sequence[tuple[str, Binding]]

    def grants(self, wanted: Wanted) -> Iterator[Grant]:
        """Every way any subject comes to the right."""
        for subject, scope, binding, role, rules in self._bound():
            for rule in rules:
                if wanted.allowed_by(rule):
                    yield Grant(subject, scope, binding, role, rule)

    def rules_of(self, subjects: frozenset[Subject]) -> Iterator[Grant]:
        """Every rule that reaches one of the subjects."""
        for subject, scope, binding, role, rules in self._bound():
            if subject in subjects:
                for rule in rules:
                    yield Grant(subject, scope, binding, role, rule)

    def _bound(self) -> Iterator[tuple[Subject, str, str, str, Sequence[Rule]]]:
        for kind, binding in self.bindings:
            space = binding.metadata.namespace
            role_space = space if binding.role_ref.kind == "Role" else ""
            rules = self.roles.get((binding.role_ref.kind, role_space, binding.role_ref.name), ())
            scope = space if kind == "RoleBinding" else "cluster"
            for one in binding.subjects or ():
                subject = one if one.kind != "ServiceAccount" or one.namespace else _in_namespace(one, space)
                yield (
                    subject,
                    scope,
                    f"{kind}/{binding.metadata.name}",
                    f"{binding.role_ref.kind}/{binding.role_ref.name}",
                    rules,
                )


async def read_policy(client: KubernetesClient, namespace: str | None, *, deadline: Deadline) -> Policy:
    """Roles and bindings: of the cluster, and of one namespace when one is given.

    Raises:
        BackendError: ``forbidden`` when they may not be listed.
        ToolError: ``unsupported`` when the cluster has no RBAC.
    """
    cluster_roles, roles = await together(
        _read(client, "ClusterRole", Role, None, deadline), _read(client, "Role", Role, namespace, deadline)
    )
    cluster_bindings, bindings = await together(
        _read(client, "ClusterRoleBinding", Binding, None, deadline),
        _read(client, "RoleBinding", Binding, namespace, deadline),
    )
    rules: dict[tuple[str, str, str], Sequence[Rule]] = {
        ("ClusterRole", "", role.metadata.name): effective_rules(role, cluster_roles) for role in cluster_roles
    }
    rules |= {("Role", role.metadata.namespace, role.metadata.name): role.rules or () for role in roles}
    pairs = [("ClusterRoleBinding", one) for one in cluster_bindings] + [("RoleBinding", one) for one in bindings]
    return Policy(rules, pairs)


async def _read(
    client: KubernetesClient, kind: str, shape: type[ShapeT], namespace: str | None, deadline: Deadline
) -> list[ShapeT]:
    resource = await client.discovery.find(GROUP, "", kind, deadline=deadline)
    if resource is None:
        raise ToolError("unsupported", f"cluster {client.name} serves no {GROUP}: its authorizer is not RBAC")
    if resource.namespaced and namespace is None:
        return []
    found: list[ShapeT] = []
    async for page in list_pages(client, resource, ListQuery(namespace), item=shape, deadline=deadline):
        found += page.items
    return found


def effective_rules(role: Role, all_roles: Sequence[Role]) -> Sequence[Rule]:
    """A ClusterRole's rules; an aggregated one has those of the roles its selectors find.

    The controller writes the union into ``rules``, but it may lag behind; the selectors are the truth.
    """
    if role.aggregation_rule is None:
        return role.rules or ()
    found = [
        rule
        for other in all_roles
        if other is not role
        and any(matches(selector, other.metadata.labels) for selector in role.aggregation_rule.cluster_role_selectors)
        for rule in other.rules or ()
    ]
    return found or role.rules or ()


def _in_namespace(subject: Subject, namespace: str) -> Subject:
    return Subject(subject.kind, subject.name, namespace)


def _covers(listed: Sequence[str], value: str) -> bool:
    return value in listed or ANY in listed


def _covers_resource(listed: Sequence[str], resource: str) -> bool:
    """``pods/log`` is covered by itself, by ``*/log`` and by ``*``."""
    _, slash, subresource = resource.partition("/")
    return _covers(listed, resource) or bool(slash and f"{ANY}/{subresource}" in listed)


def _covers_path(listed: str, path: str) -> bool:
    return listed in (ANY, path) or (listed.endswith(ANY) and path.startswith(listed[:-1]))
