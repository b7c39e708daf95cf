"""The read-only view of the server that a tool may ask (through ``Call.server``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.principal import Principal

ServiceState = Literal["running", "failed", "disabled"]
Reachability = Literal["reachable", "unreachable", "unknown"]


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """Last known health of one target. ``latency_ms`` and ``version`` are of the last good probe; ``age_s`` its age."""

    service: str
    target: str
    state: Reachability
    latency_ms: float | None = None
    version: str = ""
    error: str = ""
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """One service: its state, why it failed to start (masked, one line), and its targets."""

    name: str
    state: ServiceState
    reason: str = ""
    targets: Sequence[TargetHealth] = ()


class ServerView(Protocol):
    """What a tool may know of the server it runs in. No addresses, no credentials, no paths."""

    @property
    def version(self) -> str:
        """The version of this server."""
        ...

    async def health(self, *, service: str | None = None, probe: bool = False) -> Sequence[ServiceHealth]:
        """Health of the enabled services; ``probe`` asks every backend now (2 s each, in parallel)."""
        ...

    def effects(self, principal: Principal) -> Sequence[str]:
        """Effects this caller may use."""
        ...

    def limits(self) -> Mapping[str, str]:
        """Budgets and rate limits in words, by name."""
        ...
