"""How the backends are, as far as calls and probes have shown."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.server import TargetHealth
from cloud_native_mcp.manager.isolation import ServiceFailed, isolated_run, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.contract.server import Reachability
    from cloud_native_mcp.contract.service import Service
    from cloud_native_mcp.errors import BackendError

PROBE_SECONDS: Final = 2.0
_SAYS_NOTHING: Final = frozenset({"timeout", "cancelled", "throttled"})
"""Failures that may be those of one call (a heavy query) and tell nothing of the backend."""
_AWAY: Final = frozenset({"unreachable", "bad_answer"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last thing known of a target, and when (on the clock of the book)."""

    state: Reachability
    at: float
    latency_ms: float | None = None
    version: str = ""
    error: str = ""


class HealthBook:
    """The last known health of every target.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._watched: set[str] = set()

    def requested(self, service: str, target: str, *, answered: bool) -> None:
        """Learn from one request to a backend: one that answered, whatever it said, is reachable."""
        self._watched.add(service)
        if answered:
            self._note(service, target, "reachable")

    def observe(self, service: str, target: str, error: BackendError | None) -> None:
        """Learn from a call that ended: a backend that answered, even with a refusal, is reachable.

        Of a service whose requests are seen, a good end says nothing: the call may have asked no backend at all.
        """
        if error is None and service in self._watched:
            return
        if error is not None and error.code in _SAYS_NOTHING:
            return
        if error is not None and error.code in _AWAY:
            self._note(service, target, "unreachable", error=one_line(error))
        else:
            self._note(service, target, "reachable")

    async def probe(self, service: str, running: Service, target: str) -> None:
        """Ask one backend now, at most 2 s. Whatever it answers but a good answer counts as unreachable."""
        began = time.perf_counter()
        try:
            answer = await isolated_run(
                lambda: running.probe(target, Deadline.after(PROBE_SECONDS)), seconds=PROBE_SECONDS
            )
        except ServiceFailed as failed:
            self._note(service, target, "unreachable", error=str(failed))
        else:
            latency_ms = round((time.perf_counter() - began) * 1_000, 1)
            self._note(service, target, "reachable", latency_ms=latency_ms, version=answer.version)

    def target(self, service: str, target: str) -> TargetHealth:
        """What is known of a target."""
        seen = self._seen.get((service, target))
        if seen is None:
            return TargetHealth(service, target, "unknown")
        return TargetHealth(
            service,
            target,
            seen.state,
            latency_ms=seen.latency_ms,
            version=seen.version,
            error=seen.error,
            age_s=max(0.0, self._clock() - seen.at),
        )

    def _note(
        self,
        service: str,
        target: str,
        state: Reachability,
        *,
        latency_ms: float | None = None,
        version: str = "",
        error: str = "",
    ) -> None:
        """Keep it; latency and version stay those of the last good probe."""
        before = self._seen.get((service, target))
        if latency_ms is None and before is not None:
            latency_ms, version = before.latency_ms, before.version
        self._seen[service, target] = _Seen(state, self._clock(), latency_ms, version, error)


async def probe_all(book: HealthBook, services: dict[str, Service]) -> None:
    """Ask every target of these services at the same time."""
    async with asyncio.TaskGroup() as group:
        for name, running in services.items():
            for target in running.targets:
                group.create_task(book.probe(name, running, target))
