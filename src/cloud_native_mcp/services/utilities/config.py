"""Settings of the utilities service."""

from __future__ import annotations

import ipaddress
from pathlib import Path  # noqa: TC003 - read at run time by the model
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from cloud_native_mcp.contract.configuration import SecretReference, Section, ServiceConfig

if TYPE_CHECKING:
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


class WaitConfig(Section):
    """Limits of `utilities_wait`."""

    max_seconds: int = Field(default=60, ge=1, le=300, description="Longest pause a call may ask for, in seconds.")
    per_caller: int = Field(default=4, ge=1, le=100, description="Pauses one caller may have at the same time.")


class FetchConfig(Section):
    """What `utilities_fetch` may reach."""

    enabled: bool = Field(default=True, description="Whether pages may be fetched at all.")
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

    def networks(self, texts: list[str]) -> tuple[Network, ...]:
        """Networks as written in this section, parsed."""
        return tuple(ipaddress.ip_network(text) for text in texts)


class UtilitiesConfig(ServiceConfig):
    """Time, waiting, fetching, status."""

    wait: WaitConfig = Field(default=WaitConfig(), description="Pauses.")
    fetch: FetchConfig = Field(default=FetchConfig(), description="Public web pages.")

    @property
    def wanted(self) -> bool:
        """On unless switched off: the service needs no backend."""
        return self.enabled is not False
