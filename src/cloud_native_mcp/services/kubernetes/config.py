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


class KubernetesConfig(ClustersConfig):
    """Kubernetes clusters. With `enabled: auto` and no target, the default kubeconfig or the in-cluster account."""

    forward_address: Annotated[str, AfterValidator(_address)] = Field(
        default="",
        description="IP address on which port-forwards listen that callers over HTTP open. Without it only the caller "
        "of a local server (stdio, command line) may open some, on 127.0.0.1.",
    )
