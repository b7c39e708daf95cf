"""Callers who are users of the lab's cluster, through a server whose own account may do nothing but act as them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import yaml

from cloud_native_mcp.contract.principal import Principal

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

RBAC = "rbac.authorization.k8s.io"


def as_caller(desk: Desk, name: str, *groups: str) -> Desk:
    """The service as it is for that caller."""
    return replace(desk, caller=Principal(name, "jwt", groups=groups))


def acting_target(kubeconfig: Path, scratch: Scratch) -> dict[str, object]:
    """The settings of a cluster that is asked as its callers, by the names of `actor`."""
    prefix = scratch.namespace
    return {
        "kubeconfig": str(kubeconfig),
        "identity": "impersonate",
        "impersonate": {
            "users": [{"principal": "*", "user": f"{prefix}:{{id}}"}],
            "groups": [{"group": "team-*", "as_group": f"{prefix}:{{group}}"}],
        },
    }


@contextlib.contextmanager
def actor(lab: LabEnv, scratch: Scratch, folder: Path) -> Generator[Path]:
    """The kubeconfig of an account that may act as ``alice``, ``bob`` and the group ``team-a``, and nothing else."""
    prefix, name = scratch.namespace, f"{scratch.namespace}-actor"
    scratch.make("ServiceAccount", "actor")
    rules: list[dict[str, Any]] = [
        {
            "apiGroups": [""],
            "resources": ["users"],
            "verbs": ["impersonate"],
            "resourceNames": [f"{prefix}:alice", f"{prefix}:bob"],
        },
        {"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"], "resourceNames": [f"{prefix}:team-a"]},
    ]
    kind = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": name}}
    scratch.api.apply({**kind, "kind": "ClusterRole", "rules": rules})
    account = {"kind": "ServiceAccount", "name": "actor", "namespace": prefix}
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    scratch.api.apply({**kind, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [account]})
    try:
        yield _kubeconfig(lab, scratch, folder)
    finally:
        scratch.api.delete(f"/apis/{RBAC}/v1/clusterrolebindings/{name}")
        scratch.api.delete(f"/apis/{RBAC}/v1/clusterroles/{name}")


def allow(scratch: Scratch, subject: str, role: str, *, kind: str = "ClusterRole", group: bool = False) -> None:
    """Bind a role in the namespace to a user, or a group, of `actor`."""
    whose = "Group" if group else "User"
    scratch.make(
        "RoleBinding",
        f"{subject}-{role}",
        group_version=f"{RBAC}/v1",
        roleRef={"apiGroup": RBAC, "kind": kind, "name": role},
        subjects=[{"apiGroup": RBAC, "kind": whose, "name": f"{scratch.namespace}:{subject}"}],
    )


def _kubeconfig(lab: LabEnv, scratch: Scratch, folder: Path) -> Path:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    path = scratch.path("v1", "serviceaccounts", "actor/token")
    made = cast("dict[str, Any]", scratch.api.request("POST", path, request))
    content = yaml.safe_load(lab.kubeconfig_viewer.read_text("utf-8"))
    content["users"][0]["user"] = {"token": made["status"]["token"]}
    file = folder / "actor.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file
