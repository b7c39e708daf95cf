from __future__ import annotations

from pydantic import Field

from cloud_native_mcp.contract.configuration import ServiceConfig


class AbacusConfig(ServiceConfig):
    """An abacus; it has no targets and runs when asked for."""

    beads: int = Field(default=100, ge=1, description="Largest sum it can show.")
