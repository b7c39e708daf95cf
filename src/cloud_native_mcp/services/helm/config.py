"""Settings of the Helm service."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads it
from typing import Literal

from pydantic import Field

from cloud_native_mcp.backends.kubernetes.cluster_config import ClustersConfig
from cloud_native_mcp.contract.configuration import Section


class EngineConfig(Section):
    """The Helm program, which changes releases and renders charts; reading needs none."""

    binary: Path | None = Field(
        default=None, description="Helm 3.14 or newer, or 4; without it `helm` on the server's path."
    )


class HelmConfig(ClustersConfig):
    """Clusters with Helm releases. With `enabled: auto` and no target, the default kubeconfig or in-cluster account."""

    driver: Literal["secret", "configmap"] = Field(
        default="secret",
        description="Where Helm keeps releases in the clusters, as its own `$HELM_DRIVER`; SQL is not supported.",
    )
    engine: EngineConfig = Field(default=EngineConfig(), description="The Helm program.")
