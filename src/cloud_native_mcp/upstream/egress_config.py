"""Settings of fetches from addresses that callers choose."""

from __future__ import annotations

import ipaddress
from pathlib import Path  # noqa: TC003 - read at run time by the model
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from cloud_native_mcp.contract.configuration import SecretReference, Section
from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.errors import ConfigError, Problem
from cloud_native_mcp.upstream.egress import EgressRules
from cloud_native_mcp.upstream.tls import build_context

if TYPE_CHECKING:
    from cloud_native_mcp.contract.service import SecretReader
    from cloud_native_mcp.upstream.address_rules import Network


def _network(text: str) -> str:
    ipaddress.ip_network(text)
    return text


def _domain(text: str) -> str:
    name = text.strip().lower().removeprefix("*.").strip(".")
    if not name or any(sign in name for sign in "/:@* "):
        raise ValueError("must be a domain such as `example.com`")
    return name.encode("idna").decode("ascii")


NetworkText = Annotated[str, AfterValidator(_network)]
Domain = Annotated[str, AfterValidator(_domain)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class EgressConfig(Section):
    """Which addresses of a caller's choice may be reached, and how."""

    allowed_domains: list[Domain] = Field(
        default=[], description="When not empty, only these domains and the names below them may be fetched."
    )
    ports: list[Port] = Field(default=[80, 443], min_length=1, description="Ports that may be connected to.")
    allowed_networks: list[NetworkText] = Field(
        default=[],
        description="Networks (CIDR) that may be fetched from although they are not public, such as an intranet's.",
    )
    denied_networks: list[NetworkText] = Field(
        default=[],
        description="Further networks (CIDR) that are refused, such as public addresses used inside a cluster for "
        "services and pods; they win over `allowed_networks`.",
    )
    proxy: SecretReference | None = Field(
        default=None,
        description="HTTP proxy to fetch through (`http://host:port`, or a secret reference). Names are still resolved "
        "and checked here; the proxy is asked for the checked address.",
    )
    ca_file: Path | None = Field(default=None, description="CA certificates to trust in place of the system's.")

    @property
    def rules(self) -> EgressRules:
        """As the guard takes them."""
        return EgressRules(
            ports=frozenset(self.ports),
            domains=tuple(self.allowed_domains),
            allowed_networks=_networks(self.allowed_networks),
            denied_networks=_networks(self.denied_networks),
        )

    def tls(self, *, setting: str) -> TlsOptions:
        """TLS options, whose files can be loaded.

        Args:
            setting: path of this section, for the error.

        Raises:
            ConfigError: the CA file cannot be loaded.
        """
        options = TlsOptions(ca_file=self.ca_file)
        try:
            build_context(options)
        except (OSError, ValueError) as error:
            problem = Problem(f"{setting}.ca_file", f"cannot be loaded ({type(error).__name__})")
            raise ConfigError([problem]) from None
        return options

    def proxy_address(self, secrets: SecretReader, *, setting: str) -> str | None:
        """The proxy's URL, which may hold a password.

        Raises:
            ConfigError: it is no http URL, or the secret is missing.
        """
        if self.proxy is None:
            return None
        proxy = secrets.read(self.proxy)
        if not proxy.startswith("http://"):
            raise ConfigError([Problem(f"{setting}.proxy", "must be an http:// URL")])
        return proxy


def _networks(texts: list[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)
