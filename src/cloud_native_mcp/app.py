"""The composition root: the only place that knows every part of the server.

`App` builds the parts from the settings and starts the services; `doors` serves their tools over HTTP or stdio.
Building and starting contact no backend.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from cloud_native_mcp.audit.trail import AuditTrail
from cloud_native_mcp.backends.kubernetes.secret_values import SecretValues, own_cluster
from cloud_native_mcp.cache.metrics import CacheCollector
from cloud_native_mcp.cache.store import Bounds, SegmentedCache
from cloud_native_mcp.config.checks import cluster_references
from cloud_native_mcp.contract.configuration import ServiceConfig
from cloud_native_mcp.contract.service import ServiceContext
from cloud_native_mcp.errors import ServiceDefinitionError
from cloud_native_mcp.limits.seats import Seats
from cloud_native_mcp.manager.discovery import discover
from cloud_native_mcp.manager.isolation import ServiceFailed, isolated
from cloud_native_mcp.manager.lifecycle import Manager
from cloud_native_mcp.manager.loading import load_tools
from cloud_native_mcp.pipeline import CallChain
from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.response.render import Renderer
from cloud_native_mcp.routing.catalogue import Catalogue, entries_of
from cloud_native_mcp.routing.confirmations import PURPOSE as CONFIRMATIONS
from cloud_native_mcp.routing.cursors import PURPOSE as CURSORS
from cloud_native_mcp.routing.permissions.explanation import explain
from cloud_native_mcp.routing.permissions.permissions import Permissions
from cloud_native_mcp.routing.permissions.rights import UNLIMITED
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.secrets.sealing import Sealer
from cloud_native_mcp.secrets.state_key import StateKeys
from cloud_native_mcp.server_view import RunningServer
from cloud_native_mcp.stages import Parts
from cloud_native_mcp.telemetry import logs
from cloud_native_mcp.telemetry.metrics import Metrics
from cloud_native_mcp.upstream.address import parse_base_url
from cloud_native_mcp.upstream.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.clusters import Cluster
    from cloud_native_mcp.cache.config import CacheConfig, SegmentConfig
    from cloud_native_mcp.config.settings import Settings
    from cloud_native_mcp.contract.effect import Effect, Toolset
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.manager.discovery import Discovered
    from cloud_native_mcp.routing.catalogue import Entry
    from cloud_native_mcp.routing.permissions.explanation import Explanation
    from cloud_native_mcp.upstream.observer import UpstreamObserver

logger = logging.getLogger(__name__)


class App:
    """One server: build it, `start` it, serve it (`doors`), `close` it.

    Attributes:
        door: the inside of the server as the doors see it; there after `start`.
        manager: the services.
        permissions: who may do what.
        pool: all connections to others.
        cache: what the services share of kept answers.
        cluster_secrets: what the configuration refers to in the cluster.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.cluster_secrets = SecretValues(self._own_cluster)
        self.secrets = SecretStore(cluster=self.cluster_secrets)
        self.keys = state_keys(settings, self.secrets)
        self._digest = self.keys.digest("digest")
        self.cache = _cache_of(settings.cache)
        self.metrics.registry.register(CacheCollector(self.cache))
        self.audit = AuditTrail(settings.audit, digest=self.keys.digest("audit"), observe=self.metrics.audit)
        self.metrics.audit_enabled(enabled=settings.audit.enabled)
        self.permissions = Permissions(settings.permissions)
        self.manager = Manager(settings.discovered, settings.services, self._context, unusable=settings.unusable)
        self.pool = Pool(_Observers((self.metrics, self.manager)))
        self._cluster: Cluster | None = None
        self._door: CallChain | None = None
        self._catalogue: Catalogue | None = None

    @property
    def door(self) -> CallChain:
        """The call chain over the services that run."""
        if self._door is None:
            raise RuntimeError("the app is not started")
        return self._door

    @property
    def catalogue(self) -> Catalogue:
        """The tools of the services that run."""
        if self._catalogue is None:
            raise RuntimeError("the app is not started")
        return self._catalogue

    async def start(self) -> None:
        """Open the audit, read the secrets in the cluster, start the services and put their tools in the catalogue.

        Raises:
            ConfigError: a secret that the configuration refers to cannot be read from the cluster.
        """
        await self.audit.start()
        await self.cluster_secrets.start(cluster_references(self.settings))
        await self.manager.start()
        catalogue = Catalogue(
            await self._entries(),
            effects=frozenset(self.settings.server.effects),
            toolset=self.settings.server.toolset,
        )
        self.permissions.warn_of_names(catalogue)
        self._catalogue = catalogue
        for endpoint, digest in self.tool_digests().items():
            logger.info("tools of %s: digest %s", endpoint, digest)
        limits = self.settings.ratelimit
        self._door = CallChain(
            Parts(
                catalogue=catalogue,
                permissions=self.permissions,
                manager=self.manager,
                audit=self.audit,
                seats=Seats(limits.max_concurrent_calls, limits.max_queued_calls),
                renderer=Renderer(self._digest),
                cursors=Sealer(self.keys, CURSORS),
                confirm_keys=self.keys.derive(CONFIRMATIONS),
                metrics=self.metrics,
                view=RunningServer(self.manager, catalogue, self.permissions, self.settings),
                calls=self.settings.calls,
            )
        )

    def tool_digests(self) -> Mapping[str, str]:
        """A digest of each endpoint's whole list: who approved a list can tell a changed one."""
        return {name: self.catalogue.list_of(name, UNLIMITED).digest for name in self.catalogue.endpoints}

    def explain(self, principal: Principal, tool: str, arguments: Mapping[str, object]) -> Explanation:
        """Whether a caller may make a call, and why; there after `start`."""
        return explain(self.permissions, self.catalogue, principal, tool, arguments)

    async def close(self) -> None:
        """Stop the services, close all connections, store what is left of the audit: the last, also when one fails."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.audit.close)
            stack.push_async_callback(self.pool.close)
            stack.push_async_callback(self.cluster_secrets.close)
            stack.push_async_callback(self.manager.close)

    async def _entries(self) -> list[Entry]:
        """The tools of the services that run; a service whose tools are declared wrongly ends, and the others serve."""
        entries: list[Entry] = []
        for name, one in list(self.manager.running.items()):
            try:
                entries += isolated(lambda one=one: entries_of(one.spec, one.tools, one.service.targets))
            except ServiceFailed as failed:
                await self.manager.withdraw(name, str(failed))
        return entries

    def _context(self, name: str, config: ServiceConfig) -> ServiceContext[Any]:
        return ServiceContext(
            name=name,
            config=config,
            http=self.pool,
            cache=self.cache,
            secrets=self.secrets,
            digest=self._digest,
            log=logging.getLogger(f"cloud_native_mcp.services.{name}"),
            occupied=self._occupied,
        )

    def _own_cluster(self) -> KubernetesClient:
        """The cluster that ``k8s:`` references mean."""
        if self._cluster is None:
            config = self.settings.services.get("kubernetes") or ServiceConfig()
            self._cluster = own_cluster(self._context("secrets", config))
        return self._cluster.client()

    def _occupied(self) -> Sequence[str]:
        """Where this server and its backends are: no caller may have these fetched."""
        server = self.settings.server
        host = f"[{server.host}]" if ":" in server.host else server.host
        own = [f"{host}:{server.port}"]
        if server.public_url:
            own.append(parse_base_url(server.public_url, setting="server.public_url").shown)
        return [*own, *self.pool.addresses()]


class _Observers:
    """Tells several observers of each request to a backend."""

    def __init__(self, observers: Sequence[UpstreamObserver]) -> None:
        self._observers = observers

    def request(self, service: str, target: str, outcome: str, seconds: float) -> None:
        """One attempt ended."""
        for observer in self._observers:
            observer.request(service, target, outcome, seconds)


def offline_catalogue(effects: Iterable[Effect], toolset: Toolset, *, plugins: Sequence[str] = ()) -> Catalogue:
    """The catalogue as it would be with every service on and one target each; needs neither backends nor settings.

    A service whose tools cannot be imported or are declared wrongly is left out, with a warning in the log.
    """
    entries: list[Entry] = []
    for found in discover(plugins):
        try:
            entries += isolated(lambda found=found: _offline_entries(found))
        except ServiceFailed as failed:
            logger.warning("service %s is left out: %s", found.spec.name, failed)
    return Catalogue(entries, effects=frozenset(effects), toolset=toolset)


def _offline_entries(found: Discovered) -> tuple[Entry, ...]:
    if found.failure:
        raise ServiceDefinitionError(found.failure)
    return entries_of(found.spec, load_tools(found), ("default",) if found.spec.target_noun else ())


def configure_logs(settings: Settings) -> None:
    """Send the logs of this process where and how the settings say, with credentials taken out."""
    logs.configure(settings.logging, scrub=scrub)


def _cache_of(config: CacheConfig) -> SegmentedCache:
    bounds = {name: _bounds(segment, enabled=config.enabled) for name, segment in config.segments.items()}
    return SegmentedCache(default=_bounds(config, enabled=config.enabled), bounds=bounds)


def _bounds(config: SegmentConfig, *, enabled: bool) -> Bounds:
    return Bounds(config.max_entries, config.max_bytes, config.ttl_factor if enabled else 0.0)


def state_keys(settings: Settings, secrets: SecretStore) -> StateKeys:
    """The configured ring, or a random one that is good until the process ends."""
    configured = settings.server.state_key
    if configured is None:
        return StateKeys.random()
    references = configured if isinstance(configured, list) else [configured]
    return StateKeys([secrets.read(reference).encode() for reference in references])
