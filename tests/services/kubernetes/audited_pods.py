"""Pods that keep or break one control of the Pod Security Standards each."""

from __future__ import annotations

from typing import Any, Final

IMAGE: Final = "registry.example.com/web:1.0"
HARDENED: Final[dict[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(
    *, container: dict[str, Any] | None = None, context: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A pod of one container that keeps the Restricted standard but for what is given.

    Args:
        container: fields of the container.
        context: fields of its security context; None takes one out.
    """
    security = {key: value for key, value in (HARDENED | (context or {})).items() if value is not None}
    main = {"name": "main", "image": IMAGE, "securityContext": security} | (container or {})
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "measured", "annotations": annotations},
        "spec": {"containers": [main], **spec},
    }


def volume(**source: Any) -> dict[str, Any]:
    """A pod with one volume."""
    return pod(volumes=[{"name": "one", **source}])


def _probe(field: str, handler: dict[str, Any]) -> dict[str, Any]:
    return pod(container={field: handler})


_HARD: Final = {"securityContext": HARDENED, "image": IMAGE}
_GET: Final = {"httpGet": {"host": "10.0.0.1", "port": 80}}

RESTRICTED: Final = {
    "hardened": pod(),
    "non root by the pod": pod(context={"runAsNonRoot": None}, securityContext={"runAsNonRoot": True}),
    "seccomp by the pod": pod(
        context={"seccompProfile": None}, securityContext={"seccompProfile": {"type": "RuntimeDefault"}}
    ),
    "seccomp localhost": pod(context={"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}}),
    "binds low ports": pod(context={"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}),
    "safe sysctl": pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "4096"}]}),
    "newest safe sysctl": pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_notsent_lowat", "value": "1"}]}),
    "empty dir": volume(emptyDir={}),
    "config map": volume(configMap={"name": "a"}),
    "secret": volume(secret={"secretName": "a"}),
    "claim": volume(persistentVolumeClaim={"claimName": "a"}),
    "projected": volume(projected={"sources": []}),
    "downward": volume(downwardAPI={"items": []}),
    "csi": volume(csi={"driver": "a.example.com"}),
    "image volume": volume(image={"reference": IMAGE}),
    "apparmor localhost": pod(context={"appArmorProfile": {"type": "Localhost", "localhostProfile": "a"}}),
    "selinux container_t": pod(context={"seLinuxOptions": {"type": "container_t", "level": "s0"}}),
    "selinux engine": pod(context={"seLinuxOptions": {"type": "container_engine_t"}}),
    "proc default": pod(context={"procMount": "Default"}),
    "root in own users": pod(context={"runAsNonRoot": None, "runAsUser": 0}, hostUsers=False),
    "probe of itself": _probe("livenessProbe", {"httpGet": {"port": 80}}),
    "windows": pod(
        container={"securityContext": {"windowsOptions": {"runAsUserName": "u"}}},
        os={"name": "windows"},
        securityContext={"runAsNonRoot": True},
    ),
}
"""Kept by both standards."""

ONLY_BASELINE: Final = {
    "no context": pod(container={"securityContext": {}}),
    "escalation unset": pod(context={"allowPrivilegeEscalation": None}),
    "escalation": pod(context={"allowPrivilegeEscalation": True}),
    "no drop": pod(context={"capabilities": None}),
    "drops some": pod(context={"capabilities": {"drop": ["NET_RAW"]}}),
    "adds a default one": pod(context={"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}),
    "root allowed": pod(context={"runAsNonRoot": False}),
    "root unset": pod(context={"runAsNonRoot": None}),
    "root by the pod": pod(securityContext={"runAsNonRoot": False}),
    "user 0": pod(context={"runAsUser": 0}),
    "user 0 by the pod": pod(context={"runAsUser": None}, securityContext={"runAsUser": 0}),
    "no seccomp": pod(context={"seccompProfile": None}),
    "nfs": volume(nfs={"server": "a", "path": "/"}),
    "iscsi": volume(iscsi={"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:a", "lun": 0}),
    "init container": pod(initContainers=[{"name": "first", "image": IMAGE}]),
    "proc in own users": pod(context={"procMount": "Unmasked"}, hostUsers=False),
}
"""Kept by Baseline alone."""

NEITHER: Final = {
    "privileged": pod(context={"privileged": True, "allowPrivilegeEscalation": None}),
    "privileged init": pod(initContainers=[{"name": "first", **_HARD, "securityContext": {"privileged": True}}]),
    "hostNetwork": pod(hostNetwork=True),
    "hostPID": pod(hostPID=True),
    "hostIPC": pod(hostIPC=True),
    "hostPath": volume(hostPath={"path": "/etc"}),
    "hostPort": pod(container={"ports": [{"containerPort": 80, "hostPort": 8080}]}),
    "SYS_ADMIN": pod(context={"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}),
    "NET_RAW": pod(context={"capabilities": {"add": ["NET_RAW"]}}),
    "seccomp unconfined": pod(context={"seccompProfile": {"type": "Unconfined"}}),
    "seccomp unconfined by the pod": pod(securityContext={"seccompProfile": {"type": "Unconfined"}}),
    "apparmor": pod(context={"appArmorProfile": {"type": "Unconfined"}}),
    "apparmor by the pod": pod(securityContext={"appArmorProfile": {"type": "Unconfined"}}),
    "apparmor annotation": pod(annotations={"container.apparmor.security.beta.kubernetes.io/main": "unconfined"}),
    "selinux type": pod(context={"seLinuxOptions": {"type": "spc_t"}}),
    "selinux user": pod(context={"seLinuxOptions": {"user": "system_u"}}),
    "selinux role by the pod": pod(securityContext={"seLinuxOptions": {"role": "system_r"}}),
    "proc unmasked": pod(context={"procMount": "Unmasked"}),
    "sysctl": pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
    "probe elsewhere": _probe("livenessProbe", _GET),
    "tcp probe elsewhere": _probe("readinessProbe", {"tcpSocket": {"host": "10.0.0.1", "port": 80}}),
    "hook elsewhere": _probe("lifecycle", {"preStop": _GET}),
    "host process": pod(
        container={"securityContext": {}},
        os={"name": "windows"},
        hostNetwork=True,
        securityContext={"runAsNonRoot": True, "windowsOptions": {"hostProcess": True}},
    ),
}
"""Kept by neither."""
