from __future__ import annotations

from pydantic import Field

from cloud_native_mcp.contract.configuration import SecretReference, Section, ServiceConfig


class BookConfig(Section):
    """One ledger."""

    entries: int = Field(default=0, ge=0, le=10_000, description="Entries it begins with.")
    pin: SecretReference | None = Field(default=None, description="Secret of the ledger.")


class LedgerConfig(ServiceConfig):
    """Ledgers kept in memory."""

    targets: dict[str, BookConfig] = Field(default={}, description="Ledgers by name.")
    refuse_start: bool = Field(default=False, description="Whether starting fails.")

    @property
    def wanted(self) -> bool:
        """On when asked for, or when a ledger is configured."""
        return bool(self.targets) if self.enabled == "auto" else self.enabled
