"""Settings of the Prometheus service."""

from __future__ import annotations

from pydantic import Field, model_validator

from cloud_native_mcp.contract.configuration import SecretReference, Section, ServiceConfig
from cloud_native_mcp.contract.connection import Address, Authentication, Tls


class PrometheusTarget(Section):
    """One backend that speaks the Prometheus HTTP API. A tenant of Mimir or Cortex is a target of its own."""

    url: Address = Field(
        description="Address with path prefix, without `/api/v1`: `http://prometheus:9090`, `https://mimir/prometheus`."
    )
    auth: Authentication = Field(default=Authentication(), description="Credentials.")
    headers: dict[str, SecretReference] = Field(
        default={}, description="Further request headers, such as `X-Scope-OrgID`; values may be secret references."
    )
    tls: Tls = Field(default=Tls(), description="TLS of an https address.")
    proxy: str | None = Field(default=None, description="HTTP proxy to reach it through.")
    public_url: Address | None = Field(
        default=None, description="Address of its web page for people; query answers then end with a link."
    )
    timeout: float = Field(default=60.0, gt=0, le=600, description="Seconds one request may take at most.")


class PrometheusConfig(ServiceConfig):
    """Prometheus and compatible backends: Thanos Query, Mimir, Cortex, VictoriaMetrics."""

    targets: dict[str, PrometheusTarget] = Field(default={}, description="Backends by the name that tools use.")
    default_target: str = Field(
        default="", description="Backend that calls without `target` mean; without it the first one."
    )

    @model_validator(mode="after")
    def _default_exists(self) -> PrometheusConfig:
        if self.default_target and self.default_target not in self.targets:
            raise ValueError(f"default_target {self.default_target!r} is not one of the targets")
        return self

    @property
    def wanted(self) -> bool:
        """On when asked for, or when a backend is configured."""
        return bool(self.targets) if self.enabled == "auto" else self.enabled
