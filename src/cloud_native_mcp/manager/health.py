"""What is known of the backends: the outcome of the last call or probe of each target."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.server import TargetHealth
from cloud_native_mcp.errors import BackendError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.contract.service import Service

PROBE_S: Final = 2.0
_DOWN: Final = frozenset({"unreachable", "timeout", "bad_answer", "unauthorized"})
"""Codes that say the target cannot be used at all; others (``forbidden``, ``not_found``) prove that it answers."""


class HealthBoard:
    """Last known health by service and target."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, TargetHealth]] = {}

    def observe(self, service: str, target: str, error: BackendError | None) -> None:
        """Take note of how a call to a target ended."""
        down = error is not None and error.code in _DOWN
        before = self.of(service, target)
        self._keep(
            TargetHealth(
                service,
                target,
                "unreachable" if down else "reachable",
                latency_ms=before.latency_ms,
                version=before.version,
                error=error.text if down and error else "",
            )
        )

    def of(self, service: str, target: str) -> TargetHealth:
        """The last known health, ``unknown`` before the first call or probe."""
        known = self._known.get((service, target))
        if known is None:
            return TargetHealth(service, target, "unknown")
        at, health = known
        return TargetHealth(
            service, target, health.state, health.latency_ms, health.version, health.error, self._clock() - at
        )

    async def probe(self, name: str, service: Service) -> None:
        """Ask every target of a service now, in parallel, `PROBE_S` seconds at most."""
        await asyncio.gather(*(self._probe(name, service, target) for target in service.targets))

    async def _probe(self, name: str, service: Service, target: str) -> None:
        deadline, start = Deadline.after(PROBE_S), self._clock()
        try:
            async with deadline.enforce():
                answer = await service.probe(target, deadline)
        except TimeoutError:
            self.observe(name, target, BackendError("timeout", f"no answer within {PROBE_S:g} s"))
        except BackendError as error:
            self.observe(name, target, error)
        except ToolError as error:
            self.observe(name, target, BackendError("unreachable", error.text))
        else:
            latency = (self._clock() - start) * 1e3
            self._keep(TargetHealth(name, target, "reachable", latency_ms=latency, version=answer.version))

    def _keep(self, health: TargetHealth) -> None:
        self._known[health.service, health.target] = (self._clock(), health)
