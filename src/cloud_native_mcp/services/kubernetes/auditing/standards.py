"""The Baseline and Restricted standards of pod security: a function for each control, of the newest version.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cloud_native_mcp.backends.kubernetes.object_policy import DEFAULT_CAPABILITIES
from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import Container, PodSpec, Template

Level = Literal["privileged", "baseline", "restricted"]
_SYSCTLS: Final = frozenset(
    (
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports"),
        *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"),
        *("net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
        *("net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"),
    )
)
_SELINUX_TYPES: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_PROFILES: Final = frozenset({"RuntimeDefault", "Localhost"})
_VOLUMES: Final = frozenset(
    (
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image"),
        *("persistentVolumeClaim", "projected", "secret"),
    )
)
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_HANDLERS: Final = ("httpGet", "tcpSocket")


@dataclass(frozen=True, slots=True)
class Control:
    """One control: its name, its function (what breaks it, in words), what to do, and whether it gives a node away."""

    rule: str
    broken: Callable[[Template], Iterable[str]]
    fix: str
    grave: bool = False


def violations(template: Template, controls: Iterable[Control]) -> Iterator[tuple[Control, list[str]]]:
    """The controls that a pod breaks, each with what breaks it."""
    for control in controls:
        found = list(dict.fromkeys(control.broken(template)))
        if found:
            yield control, found


def _contexts(spec: PodSpec) -> Iterator[tuple[str, dict[str, object]]]:
    """The security contexts of the pod and of its containers, with whose they are."""
    yield "pod", spec.security_context or {}
    yield from _of_containers(spec)


def _of_containers(spec: PodSpec) -> Iterator[tuple[str, dict[str, object]]]:
    for container in spec.all_containers:
        yield f"container {container.name}", container.security_context or {}


def _host_process(template: Template) -> Iterator[str]:
    for who, context in _contexts(template.spec):
        if dig(context, "windowsOptions", "hostProcess") is True:
            yield f"{who} is a HostProcess"


def _host_namespaces(template: Template) -> Iterator[str]:
    spec = template.spec
    for name, used in (("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc)):
        if used:
            yield name


def _privileged(template: Template) -> Iterator[str]:
    for who, context in _of_containers(template.spec):
        if context.get("privileged") is True:
            yield f"{who} is privileged"


def _added(context: dict[str, object]) -> list[str]:
    return [as_str(one) for one in as_list(dig(context, "capabilities", "add"))]


def _capabilities(template: Template) -> Iterator[str]:
    for who, context in _of_containers(template.spec):
        if added := sorted(set(_added(context)) - DEFAULT_CAPABILITIES):
            yield f"{who} adds {', '.join(added)}"


def _host_path(template: Template) -> Iterator[str]:
    for volume in template.spec.volumes or ():
        if volume.get("hostPath") is not None:
            yield f"volume {as_str(volume.get('name'))} is {as_str(dig(volume, 'hostPath', 'path'))} of the node"


def _host_ports(template: Template) -> Iterator[str]:
    for container in template.spec.all_containers:
        for port in container.ports or ():
            if port.get("hostPort"):
                yield f"container {container.name} takes port {port['hostPort']} of the node"


def _hosts_of(container: Container) -> Iterator[str]:
    probes = [container.liveness_probe, container.readiness_probe, container.startup_probe]
    handlers = [as_dict((container.lifecycle or {}).get(when)) for when in ("postStart", "preStop")]
    for one in [*(as_dict(probe) for probe in probes), *handlers]:
        for how in _HANDLERS:
            if host := as_str(dig(one, how, "host")):
                yield host


def _host_probes(template: Template) -> Iterator[str]:
    for container in template.spec.all_containers:
        for host in _hosts_of(container):
            yield f"a probe or hook of container {container.name} asks {host}"


def _apparmor(template: Template) -> Iterator[str]:
    for who, context in _contexts(template.spec):
        profile = context.get("appArmorProfile")
        if profile is not None and as_str(dig(profile, "type")) not in _PROFILES:
            yield f"{who} has AppArmor {as_str(dig(profile, 'type'))}"
    for key, value in template.metadata.annotations.items():
        if key.startswith(_APPARMOR) and value not in {"", "runtime/default"} and not value.startswith("localhost/"):
            yield f"container {key.removeprefix(_APPARMOR)} has AppArmor {value}"


def _selinux(template: Template) -> Iterator[str]:
    for who, context in _contexts(template.spec):
        options = as_dict(context.get("seLinuxOptions"))
        if as_str(options.get("type")) not in _SELINUX_TYPES:
            yield f"{who} has SELinux type {as_str(options.get('type'))}"
        for name in ("user", "role"):
            if options.get(name):
                yield f"{who} sets the SELinux {name}"


def _proc_mount(template: Template) -> Iterator[str]:
    for who, context in _of_containers(template.spec):
        if context.get("procMount") not in {None, "Default"}:
            yield f"{who} has procMount {as_str(context.get('procMount'))}"


def _proc_mount_of_node_users(template: Template) -> Iterator[str]:
    # A pod in a user namespace of its own may see an unmasked /proc.
    if template.spec.host_users is not False:
        yield from _proc_mount(template)


def _seccomp(template: Template) -> Iterator[str]:
    for who, context in _contexts(template.spec):
        profile = context.get("seccompProfile")
        if profile is not None and as_str(dig(profile, "type")) not in _PROFILES:
            yield f"{who} has seccomp {as_str(dig(profile, 'type'))}"


def _sysctls(template: Template) -> Iterator[str]:
    for sysctl in as_list((template.spec.security_context or {}).get("sysctls")):
        name = as_str(dig(sysctl, "name"))
        if name not in _SYSCTLS:
            yield f"sets {name}"


def _volume_types(template: Template) -> Iterator[str]:
    for volume in template.spec.volumes or ():
        kinds = [key for key, value in volume.items() if key != "name" and value is not None]
        if not _VOLUMES.intersection(kinds):
            yield f"volume {as_str(volume.get('name'))} is {', '.join(kinds) or 'of no type'}"


def _is_windows(template: Template) -> bool:
    return as_str((template.spec.os or {}).get("name")) == "windows"


def _escalation(template: Template) -> Iterator[str]:
    if _is_windows(template):
        return
    for who, context in _of_containers(template.spec):
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{who} may gain privileges"


def _as_root(template: Template) -> Iterator[str]:
    spec = template.spec
    if spec.host_users is False:
        return
    whole = (spec.security_context or {}).get("runAsNonRoot")
    if whole is False:
        yield "pod may run as root"
    for who, context in _of_containers(spec):
        own = context.get("runAsNonRoot")
        if own is False or (own is None and whole is not True):
            yield f"{who} may run as root"


def _root_user(template: Template) -> Iterator[str]:
    if template.spec.host_users is False:
        return
    for who, context in _contexts(template.spec):
        if context.get("runAsUser") == 0:
            yield f"{who} runs as user 0"


def _no_seccomp(template: Template) -> Iterator[str]:
    if _is_windows(template):
        return
    yield from _seccomp(template)
    if dig(template.spec.security_context or {}, "seccompProfile") is not None:
        return
    for who, context in _of_containers(template.spec):
        if context.get("seccompProfile") is None:
            yield f"{who} has no seccomp profile"


def _kept_capabilities(template: Template) -> Iterator[str]:
    if _is_windows(template):
        return
    for who, context in _of_containers(template.spec):
        if "ALL" not in as_list(dig(context, "capabilities", "drop")):
            yield f"{who} does not drop ALL capabilities"
        if added := sorted(set(_added(context)) - {"NET_BIND_SERVICE"}):
            yield f"{who} adds {', '.join(added)}"


BASELINE: Final = (
    Control("host_process", _host_process, "set windowsOptions.hostProcess to false", grave=True),
    Control("host_namespaces", _host_namespaces, "leave out hostNetwork, hostPID and hostIPC", grave=True),
    Control("privileged", _privileged, "set privileged to false", grave=True),
    Control("capabilities", _capabilities, "add only capabilities of the default set", grave=True),
    Control("host_path", _host_path, "use a volume claim, emptyDir or configMap", grave=True),
    Control("host_ports", _host_ports, "use a Service in place of hostPort"),
    Control("host_probes", _host_probes, "leave out host of probes and lifecycle hooks"),
    Control("apparmor", _apparmor, "use appArmorProfile RuntimeDefault or Localhost"),
    Control("selinux", _selinux, "leave out user and role, use a container_*_t type"),
    Control("proc_mount", _proc_mount_of_node_users, "set procMount to Default"),
    Control("seccomp", _seccomp, "use seccompProfile RuntimeDefault or Localhost"),
    Control("sysctls", _sysctls, "set only safe sysctls"),
)
RESTRICTED: Final = (
    Control("volume_types", _volume_types, "use only volume types of the Restricted standard"),
    Control("privilege_escalation", _escalation, "allowPrivilegeEscalation: false"),
    Control("run_as_non_root", _as_root, "runAsNonRoot: true"),
    Control("run_as_user", _root_user, "set runAsUser to another than 0"),
    Control("seccomp_profile", _no_seccomp, "seccompProfile.type: RuntimeDefault"),
    Control("drop_capabilities", _kept_capabilities, "capabilities.drop: [ALL]"),
    Control("proc_mount_default", _proc_mount, "procMount: Default"),
)
"""What Restricted asks for beyond Baseline."""
