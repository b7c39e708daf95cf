"""The checked configuration. Each layer owns its section's model; each service owns the section named after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import Field

from cloud_native_mcp.audit.config import AuditConfig
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.cache.config import CacheConfig
from cloud_native_mcp.contract.configuration import Section, ServiceConfig
from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.routing.config import CallsConfig
from cloud_native_mcp.routing.permissions.config import PermissionsConfig
from cloud_native_mcp.telemetry.config import LoggingConfig, TelemetryConfig
from cloud_native_mcp.transport.config import ServerConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cloud_native_mcp.manager.discovery import Discovered


class ServerSections(Section):
    """The sections of the server itself."""

    server: ServerConfig = Field(default=ServerConfig(), description="Where the server listens and how it speaks MCP.")
    auth: AuthConfig = Field(default=AuthConfig(), description="Who may connect.")
    ratelimit: RateLimitConfig = Field(default=RateLimitConfig(), description="How much one caller may ask for.")
    permissions: PermissionsConfig = Field(default=PermissionsConfig(), description="Who may do what.")
    calls: CallsConfig = Field(default=CallsConfig(), description="How long calls may take.")
    cache: CacheConfig = Field(default=CacheConfig(), description="How long answers of backends are kept.")
    audit: AuditConfig = Field(default=AuditConfig(), description="Where the record of every call goes.")
    telemetry: TelemetryConfig = Field(default=TelemetryConfig(), description="What the server measures of itself.")
    logging: LoggingConfig = Field(default=LoggingConfig(), description="What is logged.")
    plugins: tuple[str, ...] = Field(
        default=(),
        description="Services of installed packages to load, by the name of their entry point or distribution.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All that was configured.

    Attributes:
        services: the checked section of every service whose section is there or that may run without one.
        unusable: services whose settings could not even be imported, with the reason in one masked line.
        discovered: every service found, in list order, also those that are off.
        file: the configuration file that was read, if any.
        given: the sections that some source sets.
    """

    server: ServerConfig = field(default_factory=ServerConfig)
    auth: AuthConfig = field(default_factory=AuthConfig)
    ratelimit: RateLimitConfig = field(default_factory=RateLimitConfig)
    permissions: PermissionsConfig = field(default_factory=PermissionsConfig)
    calls: CallsConfig = field(default_factory=CallsConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    audit: AuditConfig = field(default_factory=AuditConfig)
    telemetry: TelemetryConfig = field(default_factory=TelemetryConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    plugins: tuple[str, ...] = ()
    services: Mapping[str, ServiceConfig] = field(default_factory=dict[str, ServiceConfig])
    unusable: Mapping[str, str] = field(default_factory=dict[str, str])
    discovered: tuple[Discovered, ...] = ()
    file: Path | None = None
    given: frozenset[str] = frozenset()

    @property
    def names_services(self) -> bool:
        """Whether someone said which services are to run: a file was read, or a service's section is set."""
        return self.file is not None or any(found.spec.name in self.given for found in self.discovered)

    @property
    def sections(self) -> dict[str, Section]:
        """Every section by its name in the file, the server's first, then the services' in list order."""
        own: dict[str, Section] = {
            "server": self.server,
            "auth": self.auth,
            "ratelimit": self.ratelimit,
            "permissions": self.permissions,
            "calls": self.calls,
            "cache": self.cache,
            "audit": self.audit,
            "telemetry": self.telemetry,
            "logging": self.logging,
        }
        return own | dict(self.services)
