"""The ``server`` section: where the server listens, whom it lets in, and how it speaks MCP."""

from __future__ import annotations

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from cloud_native_mcp.contract.configuration import SecretReference, Section
from cloud_native_mcp.contract.effect import Effect, Toolset

LegacyMode = Literal["stateless", "sessions"]
ANY = "*"

ForwardingHeader = Literal["x-forwarded-for", "forwarded"]


class ServerConfig(Section):
    """Settings of the server itself."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; `0.0.0.0` for every interface.")
    port: int = Field(default=8765, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    public_url: str = Field(
        default="",
        description="Base URL clients use to reach the server (behind a proxy); its host and origin are allowed.",
    )
    allowed_hosts: list[str] = Field(
        default_factory=list,
        description="Host names accepted in the Host header besides loopback, the address connected to and the "
        "host of `public_url`: `name` (any port) or `name:port`; `*` accepts every host.",
    )
    allowed_origins: list[str] = Field(
        default_factory=list,
        description="Web origins (`https://name[:port]`) whose pages may call the server, besides its own; "
        "`*` lets every page call.",
    )
    trusted_proxies: list[str] = Field(
        default_factory=list,
        description="Addresses or networks of proxies that are believed when they say who is behind them. Of everybody "
        "else, header fields that tell an identity are dropped.",
    )
    forwarding_header: ForwardingHeader = Field(
        default="x-forwarded-for",
        description="How these proxies tell the client's address: `x-forwarded-for` (and X-Forwarded-Host) or "
        "`forwarded` (RFC 7239). The other one is not read: a client may have written it.",
    )
    legacy: LegacyMode = Field(
        default="stateless",
        description="How clients up to 2025-11-25 are served: `stateless` (any node answers) or `sessions` "
        "(elicitation, list changes, resumable streams; needs requests of a session to reach the same node).",
    )
    effects: list[Effect] = Field(
        default_factory=lambda: [Effect.READ],
        description="Effects tools may have on this server: `read`, `write`, `destroy`.",
    )
    toolset: Toolset = Field(
        default="core", description="Tools listed at the aggregate endpoint: `core`, or `extended` for all."
    )
    state_key: SecretReference | list[SecretReference] | None = Field(
        default=None,
        repr=False,
        description="Secret of at least 32 bytes that cursors and confirmation codes are sealed with, or a list of "
        "them (the first seals, all open). Without it a random one serves until the process ends.",
    )
    fast_path: bool = Field(
        default=True, description="Answer `tools/list` and plain `tools/call` without the protocol library in between."
    )
    max_body_bytes: int = Field(
        default=4_194_304, ge=1_024, le=67_108_864, description="Largest request body, in bytes; more is refused (413)."
    )
    body_timeout_s: float = Field(
        default=30.0, gt=0, le=600, description="Seconds a client may take to send a request body."
    )
    write_timeout_s: float = Field(
        default=60.0,
        gt=0,
        le=3_600,
        description="Seconds a client may take to receive what waits for it; then its connection is cut off.",
    )
    keep_alive_s: int = Field(
        default=75, ge=1, le=3_600, description="Seconds an idle connection is kept open for another request."
    )
    max_sessions: int = Field(
        default=1_000, ge=1, le=100_000, description="Most sessions and SSE streams per endpoint; more get 503."
    )
    session_idle_s: float = Field(
        default=1_800.0, gt=0, le=86_400, description="Seconds without a request after which a session is closed."
    )
    graceful_shutdown_s: float = Field(
        default=20.0, ge=0, le=600, description="Seconds calls in flight may take to finish after SIGTERM."
    )

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        if value:
            _check_origin(value, allow_path=True)
        return value.rstrip("/")

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if origin != ANY:
                _check_origin(origin, allow_path=False)
        return [origin.lower() for origin in value]

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: list[str]) -> list[str]:
        for host in value:
            if host != ANY and (not host or any(sign in host for sign in "/@*, \t")):
                raise ValueError(f"{host!r} is not a host name; write `name`, `name:port` or `*`")
        return [host.lower() for host in value]

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: list[str]) -> list[str]:
        for network in value:
            ipaddress.ip_network(network, strict=False)
        return value

    @field_validator("effects")
    @classmethod
    def _check_effects(cls, value: list[Effect]) -> list[Effect]:
        if Effect.READ not in value:
            raise ValueError("must hold `read`")
        return sorted(set(value), key=lambda effect: effect.rank)


def _check_origin(value: str, *, allow_path: bool) -> None:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{value!r} is not an http(s) address; write `https://name[:port]`")
    if parts.query or parts.fragment or (parts.path.rstrip("/") and not allow_path):
        raise ValueError(f"{value!r} has more than scheme, host and port")
