"""Settings of the utilities service."""

from __future__ import annotations

from pydantic import Field

from cloud_native_mcp.contract.configuration import Section, ServiceConfig
from cloud_native_mcp.upstream.egress_config import EgressConfig


class WaitConfig(Section):
    """Limits of `utilities_wait`."""

    max_seconds: int = Field(default=60, ge=1, le=300, description="Longest pause a call may ask for, in seconds.")
    per_caller: int = Field(default=4, ge=1, le=100, description="Pauses one caller may have at the same time.")


class FetchConfig(EgressConfig):
    """What `utilities_fetch` may reach."""

    enabled: bool = Field(default=True, description="Whether pages may be fetched at all.")


class UtilitiesConfig(ServiceConfig):
    """Time, waiting, fetching, status."""

    wait: WaitConfig = Field(default=WaitConfig(), description="Pauses.")
    fetch: FetchConfig = Field(default=FetchConfig(), description="Public web pages.")

    @property
    def wanted(self) -> bool:
        """On unless switched off: the service needs no backend."""
        return self.enabled is not False
