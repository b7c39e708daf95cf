"""Settings of the Prometheus service."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read by pydantic
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from cloud_native_mcp.contract.configuration import SecretReference, Section, ServiceConfig


def _plain_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password; use `auth`")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query or fragment")
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_plain_address)]


class PrometheusAuth(Section):
    """How the server proves itself to a backend: a bearer token, or a user with a password."""

    token: SecretReference | None = Field(
        default=None, description="Bearer token: `env:NAME`, `file:/path` or a value."
    )
    username: str = Field(default="", description="User of Basic authentication.")
    password: SecretReference | None = Field(default=None, description="Password of that user.")

    @model_validator(mode="after")
    def _one_kind(self) -> PrometheusAuth:
        if self.token is not None and (self.username or self.password is not None):
            raise ValueError("token excludes username and password")
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password belong together")
        return self


class PrometheusTls(Section):
    """TLS towards a backend. Files are read again when they change."""

    ca_file: Path | None = Field(default=None, description="CA certificates to trust in place of the system's.")
    cert_file: Path | None = Field(default=None, description="Client certificate.")
    key_file: Path | None = Field(default=None, description="Key of the client certificate.")
    server_name: str | None = Field(default=None, description="Name to check in place of the address's host.")
    verify: bool = Field(default=True, description="Check the server's certificate.")

    @model_validator(mode="after")
    def _pair(self) -> PrometheusTls:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        return self


class PrometheusTarget(Section):
    """One backend that speaks the Prometheus HTTP API. A tenant of Mimir or Cortex is a target of its own."""

    url: Address = Field(
        description="Address with path prefix, without `/api/v1`: `http://prometheus:9090`, `https://mimir/prometheus`."
    )
    auth: PrometheusAuth = Field(default=PrometheusAuth(), description="Credentials.")
    headers: dict[str, SecretReference] = Field(
        default={}, description="Further request headers, such as `X-Scope-OrgID`; values may be secret references."
    )
    tls: PrometheusTls = Field(default=PrometheusTls(), description="TLS of an https address.")
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
