"""Starting and stopping the services, and their state in between."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.server import ServiceHealth
from cloud_native_mcp.errors import CnmcpError, ConfigError
from cloud_native_mcp.manager.health import HealthBoard
from cloud_native_mcp.manager.loading import load_start, load_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.contract.configuration import ServiceConfig
    from cloud_native_mcp.contract.service import Service, ServiceContext, ServiceSpec
    from cloud_native_mcp.contract.tool import Tool
    from cloud_native_mcp.errors import BackendError
    from cloud_native_mcp.manager.discovery import Discovered, Discovery

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A started service."""

    spec: ServiceSpec
    tools: tuple[Tool, ...]
    service: Service


class Manager:
    """The services of this server.

    Args:
        configs: the section of each service that is discovered; one without a section does not run.
        context: makes what a service is started with.
    """

    def __init__(
        self,
        discovery: Discovery,
        configs: Mapping[str, ServiceConfig],
        context: Callable[[str, ServiceConfig], ServiceContext[object]],
    ) -> None:
        self._discovery = discovery
        self._configs = configs
        self._context = context
        self._board = HealthBoard()
        self.running: dict[str, Running] = {}
        self.failed: dict[str, str] = dict(discovery.failed)

    async def start(self) -> None:
        """Start every wanted service. One that cannot start is reported as failed; the others start."""
        for found in self._discovery.services:
            config = self._configs.get(found.spec.name)
            if config is not None and config.wanted:
                await self._start(found, config)

    async def close(self) -> None:
        """Stop the services, the last started first; each gets its chance even when another fails."""
        running = list(self.running.items())
        self.running.clear()
        for name, one in reversed(running):
            try:
                await one.service.close()
            except Exception:  # closing goes on with the next service
                logger.exception("service %s did not close cleanly", name)

    def observe(self, service: str, target: str, error: BackendError | None) -> None:
        """Take note of how a call to a target ended."""
        if target:
            self._board.observe(service, target, error)

    async def health(self, service: str | None = None, *, probe: bool = False) -> Sequence[ServiceHealth]:
        """State of each service and its targets; ``probe`` asks the backends now, else the last known is told."""
        if probe:
            wanted = [(name, one) for name, one in self.running.items() if service in (None, name)]
            await asyncio.gather(*(self._board.probe(name, one.service) for name, one in wanted))
        names = sorted({found.spec.name for found in self._discovery.services} | set(self.failed))
        return [self._health(name) for name in names if service in (None, name)]

    async def _start(self, found: Discovered, config: ServiceConfig) -> None:
        name = found.spec.name
        try:
            tools = load_tools(found)
            service = await load_start(found)(self._context(name, config))
        except ConfigError as error:
            self.failed[name] = str(error)
            logger.error("service %s does not start: %s", name, error)  # noqa: TRY400 - the operator's mistake, not ours
        except CnmcpError as error:
            self.failed[name] = str(error)
            logger.exception("service %s does not start", name)
        except Exception as error:  # a broken service must not keep the others from starting
            self.failed[name] = f"{type(error).__name__} while starting; see the log"
            logger.exception("service %s does not start", name)
        else:
            self.running[name] = Running(found.spec, tools, service)

    def _health(self, name: str) -> ServiceHealth:
        if name in self.failed:
            return ServiceHealth(name, "failed", self.failed[name])
        one = self.running.get(name)
        if one is None:
            return ServiceHealth(name, "disabled", "no target is configured, or it is switched off")
        return ServiceHealth(name, "running", targets=[self._board.of(name, t) for t in one.service.targets])
