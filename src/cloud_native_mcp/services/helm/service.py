"""The running Helm service: the clusters, where their releases are kept, and the program that changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.clusters import Clusters, configured_clusters
from cloud_native_mcp.services.helm.charts.catalogue import Catalogue
from cloud_native_mcp.services.helm.charts.downloads import Downloads
from cloud_native_mcp.services.helm.charts.hub import Hub
from cloud_native_mcp.services.helm.charts.indexes import Indexes
from cloud_native_mcp.services.helm.charts.registry import Registries
from cloud_native_mcp.services.helm.charts.repositories import Repositories
from cloud_native_mcp.services.helm.engine.background import Background
from cloud_native_mcp.services.helm.engine.engine import Engine
from cloud_native_mcp.services.helm.engine.locks import ReleaseLocks
from cloud_native_mcp.services.helm.releases.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.backends.kubernetes.clusters import Cluster
    from cloud_native_mcp.contract.service import ServiceContext
    from cloud_native_mcp.services.helm.config import HelmConfig


class HelmService(Clusters):
    """Clusters by target name; the default one comes first.

    ``storage`` reads releases, ``charts`` finds and reads charts, ``hub`` searches Artifact Hub where that is allowed;
    ``engine`` runs Helm, ``locks`` and ``background`` see to its changes; ``digest`` is the short keyed digest that
    stands for a secret value in answers.
    """

    def __init__(
        self,
        clusters: Mapping[str, Cluster],
        *,
        storage: Storage,
        charts: Catalogue,
        hub: Hub | None,
        engine: Engine,
        background: Background,
        digest: Callable[[bytes], str],
    ) -> None:
        super().__init__(clusters)
        self.storage = storage
        self.charts = charts
        self.hub = hub
        self.engine = engine
        self.background = background
        self.locks = ReleaseLocks()
        self.digest = digest

    async def close(self) -> None:
        """End the changes under way: Helm is told to end, and marks its release as failed."""
        await self.background.close()
        await self.charts.close()


async def start(context: ServiceContext[HelmConfig]) -> HelmService:
    """Read the kubeconfigs and make a client per cluster; contacts none.

    Raises:
        ConfigError: a kubeconfig is missing or unusable, or a context is not in it; a file of `helm.charts` is.
    """
    config = context.config
    downloads = _downloads(context)
    return HelmService(
        configured_clusters(context),
        storage=Storage(config.driver, context.cache),
        charts=Catalogue(
            Repositories(config.charts),
            indexes=Indexes(downloads, context.cache),
            registries=Registries(downloads, context.cache, context.secrets),
            downloads=downloads,
            cache=context.cache,
        ),
        hub=Hub(downloads, config.charts.hub_url) if config.charts.hub else None,
        engine=Engine(config.engine.binary, config.driver),
        background=Background(context.log),
        digest=context.digest,
    )


def _downloads(context: ServiceContext[HelmConfig]) -> Downloads:
    addresses = context.config.charts.addresses
    setting = "helm.charts.addresses"
    return Downloads(
        addresses.rules,
        enabled=addresses.enabled,
        tls=addresses.tls(setting=setting),
        proxy=addresses.proxy_address(context.secrets, setting=setting),
        secrets=context.secrets,
        occupied=context.occupied,
    )
