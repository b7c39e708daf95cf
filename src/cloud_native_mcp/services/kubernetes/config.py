"""Settings of the Kubernetes service."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from cloud_native_mcp.backends.kubernetes.cluster_config import ClustersConfig


def _address(text: str) -> str:
    if text:
        ipaddress.ip_address(text)
    return text


def _no_secrets(kinds: list[str]) -> list[str]:
    if any(kind.partition(".")[0].lower() in {"secret", "secrets"} for kind in kinds):
        raise ValueError("Secrets are never kept")
    return kinds


class KubernetesConfig(ClustersConfig):
    """Kubernetes clusters. With `enabled: auto` and no target, the default kubeconfig or the in-cluster account."""

    forward_address: Annotated[str, AfterValidator(_address)] = Field(
        default="",
        description="IP address on which port-forwards listen that callers over HTTP open. Without it only the caller "
        "of a local server (stdio, command line) may open some, on 127.0.0.1.",
    )
    watched_kinds: Annotated[list[str], AfterValidator(_no_secrets)] = Field(
        default=[],
        description="Kinds (`pods`, `deployments.apps`) of which `kubernetes_diagnose` and `kubernetes_audit` keep the "
        "objects they read, current by a watch over all namespaces. It saves time where they are called often, and "
        "costs memory. Secrets are never kept.",
    )
