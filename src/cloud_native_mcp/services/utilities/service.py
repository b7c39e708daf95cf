"""The running utilities service."""

from __future__ import annotations

import asyncio
import zoneinfo
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.service import Probe
from cloud_native_mcp.services.utilities.pages import Pages
from cloud_native_mcp.services.utilities.waits import Waits
from cloud_native_mcp.services.utilities.zones import Zones
from cloud_native_mcp.upstream.egress import EgressGuard
from cloud_native_mcp.upstream.public_fetch import PublicFetcher

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import ServiceContext
    from cloud_native_mcp.services.utilities.config import UtilitiesConfig
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
    guard = EgressGuard(fetch.rules, resolve=resolve, occupied=context.occupied)
    tls = fetch.tls(setting="utilities.fetch")
    fetcher = PublicFetcher(guard, tls=tls, proxy=fetch.proxy_address(context.secrets, setting="utilities.fetch"))
    return UtilitiesService(
        waits=Waits(max_seconds=config.wait.max_seconds, per_caller=config.wait.per_caller),
        zones=Zones(await asyncio.to_thread(zoneinfo.available_timezones)),
        fetcher=fetcher,
        pages=Pages(fetcher, context.cache, enabled=fetch.enabled),
    )
