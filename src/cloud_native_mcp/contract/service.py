"""Declaring a service: one folder, one `ServiceSpec`, no other edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from cloud_native_mcp.contract import CONTRACT_VERSION

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Hashable, Sequence

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpPool

RESERVED_NAMES = frozenset(
    (
        *("aggregate", "api", "audit", "auth", "cache", "calls", "config", "console", "health", "livez", "logging"),
        *("mcp", "metrics", "permissions", "plugins", "ratelimit", "readyz", "secrets", "server", "telemetry"),
    )
)
"""Names a service may not take: they are paths and sections of the server itself."""

ConfigT_co = TypeVar("ConfigT_co", covariant=True)
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service, before anything of it is imported.

    ``config``, ``start`` and ``tools`` are names inside the service's package, imported only when the service is
    enabled: ``config:PrometheusConfig`` (a `ServiceConfig`), ``service:start`` (a `Start`), and modules that each hold
    a tuple ``TOOLS``, in the order of the list.

    Attributes:
        target_noun: what a target is called in the schema (``Cluster``, ``Backend``); empty when the service has none.
        by_namespace: whether every request to its backends is held to `contract.rights` by namespace and kind.
    """

    name: str
    title: str
    summary: str
    config: str
    start: str
    tools: tuple[str, ...]
    target_noun: str = "Backend"
    by_namespace: bool = False
    contract_version: int = CONTRACT_VERSION


@dataclass(frozen=True, slots=True)
class Probe:
    """Answer of a backend's cheap authenticated request: its version, when it tells one."""

    version: str = ""


class Service(Protocol):
    """A running service. Starting one contacts no backend."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Configured target names, the default one first."""
        ...

    async def probe(self, target: str, deadline: Deadline) -> Probe:
        """One cheap authenticated request to the target; raises `BackendError` when it fails."""
        ...

    async def close(self) -> None:
        """Release what the service holds; also called after a failed start of what came later."""
        ...


class Cache(Protocol):
    """Answers of backends kept for a short while. Errors are never kept."""

    async def fetch(
        self,
        segment: str,
        key: Hashable,
        load: Callable[[], Awaitable[ValueT]],
        *,
        ttl: float,
        size: Callable[[ValueT], int] | None = None,
    ) -> ValueT:
        """The kept value, or what ``load`` gives; concurrent equal loads share one.

        Args:
            segment: kind of data (``prometheus.names``), with its own bounds and statistics.
            key: must hold the target and, where answers depend on the caller's rights, their digest.
            ttl: seconds.
            size: bytes of a value, for the bound by bytes.
        """
        ...

    def holds(self, segment: str, key: Hashable) -> bool:
        """Whether a value is kept now, so that what is missing can be loaded together."""
        ...

    def drop(self, segment: str, key: Hashable | None = None) -> None:
        """Forget one key, or the whole segment (after a write)."""
        ...


class SecretReader(Protocol):
    """Resolves references to secrets (``env:``, ``file:``, ``k8s:``, or the value itself)."""

    def read(self, reference: str) -> str:
        """The secret now; a file is read again when it changed.

        Raises:
            ConfigError: the variable or file is missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServiceContext(Generic[ConfigT_co]):
    """What a service is started with."""

    name: str
    config: ConfigT_co
    http: HttpPool
    cache: Cache
    secrets: SecretReader
    digest: Callable[[bytes], str]
    """Short keyed digest of a value: equal values show equal digests, on every node with the same state key."""
    log: logging.Logger
    occupied: Callable[[], Sequence[str]] = tuple
    """``host:port`` of this server and of all its backends, now: a service that connects to addresses of a caller's
    choice refuses these."""


class Start(Protocol):
    """The function a spec's ``start`` names."""

    async def __call__(self, context: ServiceContext[object]) -> Service:
        """Make the service ready without contacting a backend; raises `ConfigError` for what cannot work."""
        ...
