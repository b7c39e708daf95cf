"""Rights that reach further than they should.

Source: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.object_policy import SYSTEM_NAMESPACES
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.permissions.rbac import (
    ANY,
    GROUP,
    Binding,
    Role,
    Rule,
    Subject,
    Wanted,
    effective_rules,
)
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.reading import Reader
    from cloud_native_mcp.services.kubernetes.severity import Severity

CLUSTER_ROLES: Final = Kind(GROUP, "ClusterRole", Role)
ROLES: Final = Kind(GROUP, "Role", Role)
CLUSTER_BINDINGS: Final = Kind(GROUP, "ClusterRoleBinding", Binding)
BINDINGS: Final = Kind(GROUP, "RoleBinding", Binding)
_BOOTSTRAP: Final = "kubernetes.io/bootstrapping"
_ANYBODY: Final = frozenset({"system:anonymous", "system:unauthenticated", "system:authenticated"})
_ESCALATING: Final = ("escalate", "bind", "impersonate")
_NARROW: Final = "grant only the verbs and resources that are needed"


@dataclass(frozen=True, slots=True)
class _Danger:
    """A right that is more than it seems. ``wide`` and ``narrow``: how bad it is in the cluster, and in a namespace."""

    rule: str
    has: Callable[[Rule], bool]
    why: str
    wide: Severity
    narrow: Severity


def _every(rule: Rule) -> bool:
    return ANY in rule.verbs and ANY in rule.resources and ANY in rule.api_groups


def _escalates(rule: Rule) -> bool:
    return not _every(rule) and any(verb in rule.verbs for verb in _ESCALATING)


def _may(*wanted: Wanted) -> Callable[[Rule], bool]:
    return lambda rule: not _every(rule) and not rule.resource_names and any(one.allowed_by(rule) for one in wanted)


_DANGERS: Final = (
    _Danger("everything", _every, "may do everything", "critical", "warning"),
    _Danger(
        "escalation", _escalates, "may give itself more rights (escalate, bind, impersonate)", "critical", "warning"
    ),
    _Danger(
        "reads_secrets",
        _may(Wanted("get", "", "secrets"), Wanted("list", "", "secrets")),
        "may read Secrets",
        "warning",
        "info",
    ),
    _Danger("executes", _may(Wanted("create", "", "pods/exec")), "may execute in pods", "warning", "info"),
    _Danger(
        "nodes",
        _may(Wanted("get", "", "nodes/proxy"), Wanted("create", "", "nodes/proxy")),
        "may use the kubelets' API, past admission and audit",
        "critical",
        "info",
    ),
)


async def rbac(reader: Reader) -> list[Finding]:
    """Bindings of dangerous roles, bindings for anybody or for the default account, and bindings of no role.

    Of one namespace: its own bindings, and those over the cluster for its service accounts.
    """
    cluster_roles = await reader.objects(CLUSTER_ROLES)
    rules: dict[tuple[str, str, str], Sequence[Rule]] = {
        ("ClusterRole", "", role.metadata.name): effective_rules(role, cluster_roles) for role in cluster_roles
    }
    rules |= {("Role", r.metadata.namespace, r.metadata.name): r.rules or () for r in await reader.objects(ROLES)}
    found: list[Finding] = []
    for kind in (CLUSTER_BINDINGS, BINDINGS):
        async for binding in unhurried(await reader.objects(kind)):
            if _BOOTSTRAP not in binding.metadata.labels and (subjects := _subjects(reader, binding)):
                found += _of_binding(kind.kind, binding, subjects, rules)
    return found


def _subjects(reader: Reader, binding: Binding) -> list[Subject]:
    """Whom a binding is for, without what belongs to Kubernetes itself."""
    space = binding.metadata.namespace
    found: list[Subject] = []
    for one in binding.subjects or ():
        if one.kind == "ServiceAccount":
            account = one if one.namespace else Subject(one.kind, one.name, space)
            if space or reader.shown(account.namespace):
                found.append(account)
        elif space or (reader.namespace is None and (one.name in _ANYBODY or not one.name.startswith("system:"))):
            found.append(one)
    return found


def _of_binding(
    kind: str, binding: Binding, subjects: Sequence[Subject], rules: Mapping[tuple[str, str, str], Sequence[Rule]]
) -> Iterator[Finding]:
    meta, role = binding.metadata, binding.role_ref
    where = named(kind, meta.namespace, meta.name)
    wide = kind == "ClusterRoleBinding"
    whom = ", ".join(sorted({one.text for one in subjects}))
    via = f"{whom} by {role.kind} {role.name}"
    granted = rules.get((role.kind, meta.namespace if role.kind == "Role" else "", role.name))
    if granted is None:
        fix = "delete the binding: whoever makes that role gives these rights"
        yield Finding("warning", "rbac", "missing_role", where, f"{via}, which does not exist", fix)
        return
    for danger in _DANGERS:
        if any(danger.has(rule) for rule in granted):
            scope = "in the whole cluster" if wide else f"in namespace {meta.namespace}"
            severity = danger.wide if wide else danger.narrow
            yield Finding(severity, "rbac", danger.rule, where, f"{via}: {danger.why} {scope}", _NARROW)
    if anybody := sorted({one.name for one in subjects} & _ANYBODY):
        severity = "critical" if anybody != ["system:authenticated"] else "warning"
        fix = "bind named users, groups or service accounts"
        yield Finding(severity, "rbac", "anybody", where, f"{role.kind} {role.name} for {', '.join(anybody)}", fix)
    accounts = [one.text for one in subjects if one.kind == "ServiceAccount" and one.name == "default"]
    if accounts and not SYSTEM_NAMESPACES.issuperset(one.namespace for one in subjects if one.name == "default"):
        why = f"{role.kind} {role.name} for {', '.join(accounts)}, which every pod without an account of its own has"
        yield Finding(
            "warning", "rbac", "default_account", where, why, "give the workload a service account of its own"
        )
