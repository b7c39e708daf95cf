"""Settings of the Helm service."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cloud_native_mcp.backends.kubernetes.cluster_config import ClustersConfig


class HelmConfig(ClustersConfig):
    """Clusters with Helm releases. With `enabled: auto` and no target, the default kubeconfig or in-cluster account."""

    driver: Literal["secret", "configmap"] = Field(
        default="secret",
        description="Where Helm keeps releases in the clusters, as its own `$HELM_DRIVER`; SQL is not supported.",
    )
