"""What may not be written to a cluster unless the operator allows it, whatever the server's own account may do.

The pod rules are those of the Baseline standard that give a pod power over its node:
https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from cloud_native_mcp.backends.kubernetes.exec_policy import ExecPolicy
from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Permit = Literal[
    "privileged",
    "host_path",
    "host_namespaces",
    "capabilities",
    "cluster_admin",
    "system_namespaces",
    "delete_cluster_objects",
    "approve_certificates",
    "drain_nodes",
    "reveal_secrets",
]
SYSTEM_NAMESPACES: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})
DEFAULT_CAPABILITIES: Final = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)
"""Capabilities that a pod may add under the Baseline standard."""
_ESCALATING: Final = frozenset({"escalate", "bind", "impersonate"})
_ADMIN_ROLES: Final = frozenset({"cluster-admin"})
_DATA: Final = frozenset({"ConfigMap", "Secret", "Namespace", "Node", "Service", "ServiceAccount", "Endpoints"})
_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
_DEPTH: Final = 8


class ObjectPolicy:
    """The refusals of one cluster.

    Args:
        allowed: what the operator permits in spite of the defaults.
        setting: the configuration path of that list, for the error.
        execution: what may be run in containers.
    """

    def __init__(
        self,
        allowed: Iterable[Permit] = (),
        *,
        setting: str = "policy.allow",
        execution: ExecPolicy | None = None,
    ) -> None:
        self.execution = execution or ExecPolicy()
        self._allowed = frozenset(allowed)
        self._setting = setting

    def require(self, permit: Permit, what: str, *, code: str = "denied_by_policy") -> None:
        """Refuse an operation that needs a permit.

        Raises:
            ToolError: of that code, naming the setting.
        """
        if permit not in self._allowed:
            text = f"{what} is refused here; the operator can add {permit} to {self._setting}"
            raise ToolError(code, text, kind="final")

    def check_namespace(self, namespace: str | None, *, what: str = "a change") -> None:
        """Refuse changes, or what else is named, in the namespaces of Kubernetes itself."""
        if namespace in SYSTEM_NAMESPACES:
            self.require("system_namespaces", f"{what} in namespace {namespace}")

    def check(self, obj: Mapping[str, object]) -> None:
        """Refuse an object that gives power over nodes or over the whole cluster.

        Raises:
            ToolError: ``denied_by_policy``, naming the field and the setting that allows it.
        """
        kind = as_str(obj.get("kind"))
        if kind in {"ClusterRoleBinding", "RoleBinding"}:
            self._check_binding(obj)
        elif kind in {"ClusterRole", "Role"}:
            self._check_role(obj)
        for path, spec in _pod_specs(obj):
            self._check_pod(spec, path)

    def polices(self, kind: str, group: str) -> bool:
        """Whether a change of that kind can make an object that is refused: everything but plain data may hold pods."""
        return group != "" or kind not in _DATA

    def _check_pod(self, spec: Mapping[str, object], path: str) -> None:
        for name in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(name) is True:
                self.require("host_namespaces", f"{path}.{name}: true")
        for index, volume in enumerate(as_list(spec.get("volumes"))):
            if "hostPath" in as_dict(volume):
                self.require("host_path", f"{path}.volumes[{index}].hostPath")
        for field in _CONTAINERS:
            for index, container in enumerate(as_list(spec.get(field))):
                self._check_container(as_dict(container), f"{path}.{field}[{index}].securityContext")

    def _check_container(self, container: Mapping[str, object], path: str) -> None:
        security = as_dict(container.get("securityContext"))
        if security.get("privileged") is True:
            self.require("privileged", f"{path}.privileged: true")
        if as_str(security.get("procMount"), "Default") != "Default":
            self.require("privileged", f"{path}.procMount")
        added = {as_str(one).upper().removeprefix("CAP_") for one in as_list(dig(security, "capabilities", "add"))}
        if more := sorted(added - DEFAULT_CAPABILITIES):
            self.require("capabilities", f"{path}.capabilities.add: {', '.join(more)}")
        for index, port in enumerate(as_list(container.get("ports"))):
            if as_int(dig(port, "hostPort")):
                self.require("host_namespaces", f"{path.removesuffix('.securityContext')}.ports[{index}].hostPort")

    def _check_binding(self, obj: Mapping[str, object]) -> None:
        role = as_str(dig(obj, "roleRef", "name"))
        if role in _ADMIN_ROLES:
            self.require("cluster_admin", f"roleRef.name: {role}")
        for index, subject in enumerate(as_list(obj.get("subjects"))):
            if dig(subject, "kind") == "Group" and dig(subject, "name") in {"system:masters", "system:unauthenticated"}:
                self.require("cluster_admin", f"subjects[{index}].name: {as_str(dig(subject, 'name'))}")

    def _check_role(self, obj: Mapping[str, object]) -> None:
        if obj.get("aggregationRule"):
            self.require("cluster_admin", "aggregationRule")
        for index, rule in enumerate(as_list(obj.get("rules"))):
            verbs = {as_str(verb) for verb in as_list(dig(rule, "verbs"))}
            resources = {as_str(one) for one in as_list(dig(rule, "resources"))}
            if verbs & _ESCALATING:
                self.require("cluster_admin", f"rules[{index}].verbs: {', '.join(sorted(verbs & _ESCALATING))}")
            if "*" in verbs and "*" in resources:
                self.require("cluster_admin", f"rules[{index}]: all verbs on all resources")


def _pod_specs(obj: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every part of an object that describes pods, wherever a kind keeps it: a map with a list of containers."""
    pending: list[tuple[str, object, int]] = [("", obj, 0)]
    while pending:
        path, value, depth = pending.pop()
        fields, items = as_dict(value), as_list(value)
        if isinstance(fields.get("containers"), list) or isinstance(fields.get("ephemeralContainers"), list):
            yield path, fields
        if depth < _DEPTH:
            pending += [
                (f"{path}.{key}" if path else key, item, depth + 1) for key, item in fields.items() if key != "metadata"
            ]
            pending += [(f"{path}[{index}]", item, depth + 1) for index, item in enumerate(items)]
