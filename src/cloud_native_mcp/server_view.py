"""What tools may know of the server they run in: no addresses, no credentials, no paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp import __version__
from cloud_native_mcp.contract.effect import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.config.settings import Settings
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.contract.server import ServiceHealth
    from cloud_native_mcp.manager.lifecycle import Manager
    from cloud_native_mcp.routing.catalogue import Catalogue
    from cloud_native_mcp.routing.permissions.permissions import Permissions


class RunningServer:
    """Implements `contract.server.ServerView` over the parts of a running server."""

    def __init__(self, manager: Manager, catalogue: Catalogue, permissions: Permissions, settings: Settings) -> None:
        self._manager = manager
        self._catalogue = catalogue
        self._permissions = permissions
        self._settings = settings

    @property
    def version(self) -> str:
        """The version of this server."""
        return __version__

    async def health(self, *, service: str | None = None, probe: bool = False) -> Sequence[ServiceHealth]:
        """Health of the enabled services, or of one; ``probe`` asks its backends now."""
        return await self._manager.health(service, probe=probe)

    def effects(self, principal: Principal) -> Sequence[str]:
        """Effects this caller may use."""
        allowed = [effect for effect in Effect if effect in self._catalogue.effects]
        return [effect.value for effect in self._permissions.rights_of(principal).effects(allowed)]

    def limits(self) -> Mapping[str, str]:
        """Rate, concurrency and time limits in words."""
        rate, calls = self._settings.ratelimit, self._settings.calls
        requests = f"{rate.requests_per_second:g} a second, {rate.burst} at once" if rate.enabled else "not limited"
        return {
            "requests per caller": requests,
            "calls at once": f"{rate.max_concurrent_calls}, {rate.max_queued_calls} waiting",
            "time of a call": f"{calls.quick_timeout_s:g} s, heavy ones {calls.slow_timeout_s:g} s, "
            f"waiting ones up to {calls.max_timeout_s:g} s",
            "answer": "16 kB, up to 40 kB when more is asked for, unless a tool says otherwise",
        }
