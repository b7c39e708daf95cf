"""The running Kubernetes service: one client per configured cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.clusters import Clusters, configured_clusters
from cloud_native_mcp.backends.kubernetes.watched import WatchedKinds
from cloud_native_mcp.services.kubernetes.connecting.forwards import LOOPBACK, Forwards
from cloud_native_mcp.services.kubernetes.execution.leftovers import Leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.clusters import Cluster
    from cloud_native_mcp.contract.service import Cache, ServiceContext
    from cloud_native_mcp.services.kubernetes.config import KubernetesConfig


class KubernetesService(Clusters):
    """Clusters by target name; the default one comes first.

    ``digest`` is the short keyed digest that stands for a secret value in answers; ``cache`` keeps schemas; ``watched``
    are kinds read again and again; ``leftovers`` clears away what calls made; ``forwards`` are the open port-forwards,
    ``forwards_shared`` whether callers of other machines may open some.
    """

    def __init__(
        self,
        clusters: Mapping[str, Cluster],
        *,
        digest: Callable[[bytes], str],
        cache: Cache,
        forward_address: str = "",
        watched_kinds: Sequence[str] = (),
    ) -> None:
        super().__init__(clusters)
        self.digest = digest
        self.cache = cache
        self.leftovers = Leftovers()
        self.forwards = Forwards(forward_address or LOOPBACK)
        self.watched = WatchedKinds(watched_kinds)
        self.forwards_shared = forward_address != ""

    async def close(self) -> None:
        """Close the forwards, and wait for what calls left to be cleared away."""
        await self.forwards.close()
        await self.watched.close()
        await self.leftovers.close()


async def start(context: ServiceContext[KubernetesConfig]) -> KubernetesService:
    """Read the kubeconfigs and make a client per cluster; contacts none.

    Raises:
        ConfigError: a kubeconfig is missing or unusable, or a context is not in it.
    """
    return KubernetesService(
        configured_clusters(context),
        digest=context.digest,
        cache=context.cache,
        forward_address=context.config.forward_address,
        watched_kinds=context.config.watched_kinds,
    )
