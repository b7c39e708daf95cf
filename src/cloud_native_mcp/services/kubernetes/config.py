"""Settings of the Kubernetes service."""

from __future__ import annotations

from cloud_native_mcp.backends.kubernetes.cluster_config import ClustersConfig


class KubernetesConfig(ClustersConfig):
    """Kubernetes clusters. With `enabled: auto` and no target, the default kubeconfig or the in-cluster account."""
