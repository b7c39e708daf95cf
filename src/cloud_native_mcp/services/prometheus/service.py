"""The running Prometheus service: its targets and their clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cloud_native_mcp.contract.http import HttpTarget
from cloud_native_mcp.contract.service import Probe
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.prometheus.answers import BuildInfo, Reply
from cloud_native_mcp.services.prometheus.client import Asked, PrometheusClient
from cloud_native_mcp.services.prometheus.credentials import TargetCredentials

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import Cache, ServiceContext
    from cloud_native_mcp.services.prometheus.config import PrometheusConfig, PrometheusTarget


@dataclass(frozen=True, slots=True)
class Backend:
    """One target: its client and the address of its page for people (empty when none is configured)."""

    name: str
    client: PrometheusClient
    public_url: str


class PrometheusService:
    """Implements `contract.service.Service`."""

    def __init__(self, backends: dict[str, Backend], cache: Cache) -> None:
        self._backends = backends
        self.cache = cache

    @property
    def targets(self) -> tuple[str, ...]:
        """Target names, the default one first."""
        return tuple(self._backends)

    def backend(self, target: str) -> Backend:
        """The target of that name."""
        return self._backends[target]

    async def probe(self, target: str, deadline: Deadline) -> Probe:
        """Ask for the version; a backend without that API (Thanos, VictoriaMetrics) is asked a trivial query."""
        client = self._backends[target].client
        try:
            reply = await client.get(
                "/status/buildinfo", Reply[BuildInfo], Asked("build information"), deadline=deadline
            )
        except BackendError as error:
            if error.code != "unsupported":
                raise
            await client.query("/query", Asked("query 1"), deadline=deadline, params=[("query", "1")], keep=1)
            return Probe()
        return Probe(version=reply.data.version if reply.data else "")

    async def close(self) -> None:
        """Nothing to release: connections belong to the server's pool."""


async def start(context: ServiceContext[object]) -> PrometheusService:
    """Make a client per target; secrets that are missing are reported now, no backend is contacted."""
    config = cast("PrometheusConfig", context.config)
    names = sorted(config.targets, key=lambda name: name != config.default_target)
    backends = {name: _backend(context, name, config.targets[name]) for name in names}
    return PrometheusService(backends, context.cache)


def _backend(context: ServiceContext[object], name: str, config: PrometheusTarget) -> Backend:
    target = HttpTarget(
        service=context.name,
        name=name,
        base_url=config.url,
        credentials=TargetCredentials(config, context.secrets),
        tls=config.tls.options,
        proxy=config.proxy,
    )
    client = PrometheusClient(context.http.client(target), target, seconds=config.timeout)
    return Backend(name, client, config.public_url or "")
