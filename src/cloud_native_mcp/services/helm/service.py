"""The running Helm service: the clusters, and where their releases are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.clusters import Clusters, cluster_clients
from cloud_native_mcp.services.helm.releases.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.service import ServiceContext
    from cloud_native_mcp.services.helm.config import HelmConfig


class HelmService(Clusters):
    """Clients by target name; the default cluster comes first.

    ``storage`` reads releases; ``digest`` is the short keyed digest that stands for a secret value in answers.
    """

    def __init__(
        self, clients: Mapping[str, KubernetesClient], *, storage: Storage, digest: Callable[[bytes], str]
    ) -> None:
        super().__init__(clients)
        self.storage = storage
        self.digest = digest


async def start(context: ServiceContext[HelmConfig]) -> HelmService:
    """Read the kubeconfigs and make a client per cluster; contacts none.

    Raises:
        ConfigError: a kubeconfig is missing or unusable, or a context is not in it.
    """
    storage = Storage(context.config.driver, context.cache)
    return HelmService(cluster_clients(context), storage=storage, digest=context.digest)
