"""Reading the targets of a backend as a stream."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.services.prometheus.answers import ActiveTarget, DiscoveredTarget
from cloud_native_mcp.services.prometheus.client import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.prometheus.client import Params
    from cloud_native_mcp.services.prometheus.service import Backend

_KEY: Final = "discoveredLabels"
_RANK: Final = {"down": 0, "unknown": 1, "up": 2}
ASKED: Final = Asked("targets", alternative="this backend scrapes nothing; query `up == 0` for targets that are down")


async def active_targets(
    backend: Backend, deadline: Deadline, *, pool: str, wanted: Callable[[ActiveTarget], bool]
) -> list[ActiveTarget]:
    """The scraped targets that are wanted, unhealthy ones first, then by pool and address."""
    found: list[ActiveTarget] = []

    def take(target: ActiveTarget) -> None:
        if target.health and (not pool or target.scrape_pool == pool) and wanted(target):
            found.append(target)

    await backend.client.elements(
        "/targets",
        ASKED,
        deadline=deadline,
        params=_params("active", pool),
        key=_KEY,
        shape=ActiveTarget,
        take=take,
    )
    found.sort(key=lambda target: (_RANK.get(target.health, 1), target.scrape_pool, target.scrape_url))
    return found


async def discovered_targets(
    backend: Backend, deadline: Deadline, *, pool: str, state: str, wanted: Callable[[DiscoveredTarget], bool]
) -> tuple[list[DiscoveredTarget], bytes]:
    """Targets with the labels they were discovered with, by pool and address, and the document around them.

    Args:
        state: ``dropped`` or ``any``.
    """
    found: list[DiscoveredTarget] = []

    def take(target: DiscoveredTarget) -> None:
        fits = state == "any" or not target.health
        if fits and (not pool or target.scrape_pool in {"", pool}) and wanted(target):
            found.append(target)

    frame = await backend.client.elements(
        "/targets",
        ASKED,
        deadline=deadline,
        params=_params(state, pool),
        key=_KEY,
        shape=DiscoveredTarget,
        take=take,
    )
    found.sort(key=lambda target: (target.scrape_pool, sorted((target.discovered_labels or {}).items())))
    return found, frame


def age(text: str) -> str | None:
    """How long ago a time of the backend was; None for the time zero that stands for never."""
    if not text or text.startswith("0001-"):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return format_age(datetime.now(UTC) - when)


def _params(state: str, pool: str) -> Params:
    return [("state", state), *([("scrapePool", pool)] if pool else [])]
