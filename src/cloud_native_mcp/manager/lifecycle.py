"""Starts the services that are wanted, keeps what runs and what failed, and ends them in reverse order."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cloud_native_mcp.contract.server import ServiceHealth
from cloud_native_mcp.errors import ServiceDefinitionError
from cloud_native_mcp.manager.health import HealthBook, probe_all
from cloud_native_mcp.manager.isolation import ServiceFailed, isolated, isolated_run
from cloud_native_mcp.manager.loading import load_start, load_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.contract.configuration import ServiceConfig
    from cloud_native_mcp.contract.service import Service, ServiceContext, ServiceSpec, Start
    from cloud_native_mcp.contract.tool import Tool
    from cloud_native_mcp.errors import BackendError
    from cloud_native_mcp.manager.discovery import Discovered

logger = logging.getLogger(__name__)

START_SECONDS: Final = 15.0
CLOSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """A service that was started."""

    spec: ServiceSpec
    tools: tuple[Tool, ...]
    service: Service


class Manager:
    """The services of one server.

    Args:
        discovered: all services, in list order.
        configs: their checked sections; a service without one stays off.
        context: makes what a service of that name and section is started with.
        unusable: services whose settings could not be imported, with the reason.
        clock: monotonic seconds, for the age of what is known of backends.
    """

    def __init__(
        self,
        discovered: Sequence[Discovered],
        configs: Mapping[str, ServiceConfig],
        context: Callable[[str, ServiceConfig], ServiceContext[Any]],
        *,
        unusable: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._discovered = tuple(discovered)
        self._configs = configs
        self._context = context
        self._book = HealthBook(clock)
        self._running: dict[str, Running] = {}
        self._failed: dict[str, str] = {found.spec.name: found.failure for found in discovered if found.failure}
        self._failed |= unusable or {}

    @property
    def running(self) -> Mapping[str, Running]:
        """Services that were started, in list order."""
        return self._running

    @property
    def failed(self) -> Mapping[str, str]:
        """Services that are wanted and do not run, with the reason in one masked line."""
        return self._failed

    async def start(self) -> None:
        """Import and start every wanted service. One that fails is noted, and the others start; no backend is asked."""
        for name, why in self._failed.items():
            logger.error("service %s is not available: %s", name, why)
        for found in self._discovered:
            name = found.spec.name
            config = self._configs.get(name)
            if config is None or not config.wanted or name in self._failed:
                continue
            try:
                self._running[name] = await self._started(found, config)
            except ServiceFailed as failed:
                self._failed[name] = str(failed)
                logger.error("service %s failed to start: %s", name, failed)  # noqa: TRY400 - one line is the promise
            else:
                logger.info("service %s started", name)

    async def close(self) -> None:
        """End the services, the last one first; one that fails to end does not keep the others."""
        while self._running:
            await self._end(*self._running.popitem())

    def observe(self, service: str, target: str, error: BackendError | None) -> None:
        """Learn from a call that was about one target and ended."""
        self._book.observe(service, target, error)

    def request(self, service: str, target: str, outcome: str, seconds: float) -> None:
        """Learn from one request to a backend (`upstream.observer.UpstreamObserver`)."""
        del seconds
        self._book.requested(service, target, answered=outcome.isdigit())

    def summary(self) -> Mapping[str, str]:
        """State of each service that is on, as known now: ``running``, ``unreachable`` (a target of it), ``failed``."""
        states: dict[str, str] = {}
        for health in (self._health(found.spec.name) for found in self._discovered):
            if health.state != "disabled":
                away = any(target.state == "unreachable" for target in health.targets)
                states[health.name] = "unreachable" if away else health.state
        return states

    async def withdraw(self, name: str, reason: str) -> None:
        """End a running service that cannot be served after all; it counts as failed."""
        self._failed[name] = reason
        logger.error("service %s cannot be served: %s", name, reason)
        await self._end(name, self._running.pop(name))

    async def health(self, service: str | None = None, *, probe: bool = False) -> Sequence[ServiceHealth]:
        """Health of all services that are on, or of one service whether it is on or off; nothing for an unknown name.

        ``probe`` asks the backends now, in parallel and 2 s each; without it the last known state is told.
        """
        names = [found.spec.name for found in self._discovered if service in (None, found.spec.name)]
        if probe:
            await probe_all(self._book, {name: self._running[name].service for name in names if name in self._running})
        told = [self._health(name) for name in names]
        return [health for health in told if service is not None or health.state != "disabled"]

    def _health(self, name: str) -> ServiceHealth:
        running = self._running.get(name)
        if running is not None:
            targets = [self._book.target(name, target) for target in running.service.targets]
            return ServiceHealth(name, "running", targets=targets)
        if name in self._failed:
            return ServiceHealth(name, "failed", reason=self._failed[name])
        return ServiceHealth(name, "disabled")

    async def _end(self, name: str, running: Running) -> None:
        try:
            await isolated_run(running.service.close, seconds=CLOSE_SECONDS)
        except ServiceFailed as failed:
            logger.warning("service %s did not end well: %s", name, failed)

    async def _started(self, found: Discovered, config: ServiceConfig) -> Running:
        tools = isolated(lambda: load_tools(found))
        start = isolated(lambda: load_start(found))
        context = self._context(found.spec.name, config)
        service = await isolated_run(lambda: _call(start, context), seconds=START_SECONDS)
        return Running(found.spec, tools, service)


async def _call(start: Start, context: ServiceContext[Any]) -> Service:
    service = await start(context)
    missing = [name for name in ("targets", "probe", "close") if not hasattr(service, name)]
    if missing:
        raise ServiceDefinitionError(f"{context.name}: what starting gave has no {', '.join(missing)}")
    return service
