"""The running utilities service."""

from __future__ import annotations

import asyncio
import zoneinfo
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.contract.service import Probe
from cloud_native_mcp.errors import ConfigError, Problem
from cloud_native_mcp.services.utilities.pages import Pages
from cloud_native_mcp.services.utilities.waits import Waits
from cloud_native_mcp.services.utilities.zones import Zones
from cloud_native_mcp.upstream.egress import EgressGuard, EgressRules
from cloud_native_mcp.upstream.public_fetch import PublicFetcher
from cloud_native_mcp.upstream.tls import build_context

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import ServiceContext
    from cloud_native_mcp.services.utilities.config import FetchConfig, UtilitiesConfig
    from cloud_native_mcp.upstream.egress import Resolve


class UtilitiesService:
    """Holds what the tools share. It has no targets."""

    targets: tuple[str, ...] = ()

    def __init__(self, *, waits: Waits, zones: Zones, fetcher: PublicFetcher, pages: Pages) -> None:
        self.waits = waits
        self.zones = zones
        self.pages = pages
        self._fetcher = fetcher

    async def probe(self, target: str, deadline: Deadline) -> Probe:  # noqa: ARG002 - there is nothing to ask
        """Always well: the service needs no backend."""
        return Probe()

    async def close(self) -> None:
        """Close the connections of fetches."""
        await self._fetcher.close()


async def start(context: ServiceContext[UtilitiesConfig], *, resolve: Resolve | None = None) -> UtilitiesService:
    """Make the service ready.

    Args:
        resolve: resolver of names to fetch; the system's by default.

    Raises:
        ConfigError: the CA file cannot be loaded, or the proxy is not an http URL.
    """
    config = context.config
    fetch = config.fetch
    guard = EgressGuard(_rules(fetch), resolve=resolve, occupied=context.occupied)
    fetcher = PublicFetcher(guard, tls=_tls(fetch), proxy=_proxy(fetch, context))
    return UtilitiesService(
        waits=Waits(max_seconds=config.wait.max_seconds, per_caller=config.wait.per_caller),
        zones=Zones(await asyncio.to_thread(zoneinfo.available_timezones)),
        fetcher=fetcher,
        pages=Pages(fetcher, context.cache, enabled=fetch.enabled),
    )


def _rules(fetch: FetchConfig) -> EgressRules:
    return EgressRules(
        ports=frozenset(fetch.ports),
        domains=tuple(fetch.allowed_domains),
        allowed_networks=fetch.networks(fetch.allowed_networks),
        denied_networks=fetch.networks(fetch.denied_networks),
    )


def _tls(fetch: FetchConfig) -> TlsOptions:
    options = TlsOptions(ca_file=fetch.ca_file)
    try:
        build_context(options)
    except (OSError, ValueError) as error:
        raise ConfigError([Problem("utilities.fetch.ca_file", f"cannot be loaded ({type(error).__name__})")]) from None
    return options


def _proxy(fetch: FetchConfig, context: ServiceContext[UtilitiesConfig]) -> str | None:
    if fetch.proxy is None:
        return None
    proxy = context.secrets.read(fetch.proxy)
    if not proxy.startswith("http://"):
        raise ConfigError([Problem("utilities.fetch.proxy", "must be an http:// URL")])
    return proxy
