from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.service import Probe

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import ServiceContext

    from .config import AbacusConfig


class AbacusService:
    """The running service."""

    def __init__(self, beads: int) -> None:
        self.beads = beads

    @property
    def targets(self) -> tuple[str, ...]:
        return ()

    async def probe(self, target: str, deadline: Deadline) -> Probe:
        del target, deadline
        return Probe()

    async def close(self) -> None:
        self.beads = 0


async def start(context: ServiceContext[AbacusConfig]) -> AbacusService:
    return AbacusService(context.config.beads)
