"""Health of scrape targets: counts by pool, and the targets themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Page, Result, Table
from cloud_native_mcp.services.prometheus.labels import series_text
from cloud_native_mcp.services.prometheus.masking import message
from cloud_native_mcp.services.prometheus.numbers import seconds_shown
from cloud_native_mcp.services.prometheus.paging import page_of
from cloud_native_mcp.services.prometheus.target_views.discovery import check_pool
from cloud_native_mcp.services.prometheus.target_views.reading import active_targets, age

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell, CursorState
    from cloud_native_mcp.services.prometheus.answers import ActiveTarget
    from cloud_native_mcp.services.prometheus.service import Backend

NARROW = "pool, health or search"
_POOL_COLUMNS = ("POOL", "UP", "DOWN", "UNKNOWN", "SLOWEST")
_NOT_UP_COLUMNS = ("POOL", "INSTANCE", "HEALTH", "SCRAPED", "TOOK", "ERROR")
_COLUMNS = ("POOL", "INSTANCE", "HEALTH", "SCRAPED", "TOOK", "EVERY", "LABELS", "ERROR")
_SHOWN_APART = ("instance", "job")


@dataclass(frozen=True, slots=True)
class TargetFilter:
    """Which targets are wanted; empty texts mean all."""

    pool: str = ""
    health: str = ""
    search: str = ""

    def wants(self, target: ActiveTarget) -> bool:
        """Whether a target is wanted; letter case of the search does not count."""
        if self.health and target.health != self.health:
            return False
        if not self.search:
            return True
        wanted = self.search.casefold()
        return wanted in target.scrape_url.casefold() or wanted in series_text(target.labels or {}).casefold()

    def describe(self) -> str:
        """The filters in words."""
        said = [f"{name} {value!a}" for name, value in self._given() if value]
        return f" with {', '.join(said)}" if said else ""

    def _given(self) -> list[tuple[str, str]]:
        return [("pool", self.pool), ("health", self.health), ("search", self.search)]


async def summary(
    backend: Backend, deadline: Deadline, wanted: TargetFilter, *, state: Mapping[str, object], limit: int
) -> Result:
    """Counts by pool, pools with trouble first, then every target that is not up.

    Raises:
        ToolError: ``not_found`` (no such pool, with near names).
    """
    targets = await _targets(backend, deadline, wanted)
    pools = _pool_rows(targets)
    troubled = [target for target in targets if target.health != "up"]
    pools_from, troubled_from = as_int(state.get("pools")), as_int(state.get("targets"))
    shown_pools = pools[pools_from : pools_from + limit]
    shown_troubled = troubled[troubled_from : troubled_from + limit]

    def resume(count: int) -> CursorState | None:
        in_pools = min(count, len(shown_pools))
        place: CursorState = {"pools": pools_from + in_pools, "targets": troubled_from + count - in_pools}
        ended = place == {"pools": len(pools), "targets": len(troubled)}
        return None if ended else place

    blocks = [Table(_POOL_COLUMNS, shown_pools, title="pools")] if shown_pools else []
    if shown_troubled:
        rows = [_not_up_row(target) for target in shown_troubled]
        blocks.append(_table(backend, _NOT_UP_COLUMNS, rows, title="targets that are not up"))
    notes = [] if troubled or not targets else ["all of them are up"]
    page = Page(resume=resume, total=len(pools) + len(troubled), narrow=NARROW)
    return Result(header=_header(backend, targets, wanted), blocks=blocks, page=page, notes=notes)


async def listing(backend: Backend, deadline: Deadline, wanted: TargetFilter, *, start: int, limit: int) -> Result:
    """The targets one by one, unhealthy first.

    Raises:
        ToolError: ``not_found`` (no such pool, with near names).
    """
    targets = await _targets(backend, deadline, wanted)
    shown, page = page_of(targets, start, limit, narrow=NARROW)
    blocks = [_table(backend, _COLUMNS, [_row(target) for target in shown])] if shown else []
    return Result(header=_header(backend, targets, wanted), blocks=blocks, page=page)


async def _targets(backend: Backend, deadline: Deadline, wanted: TargetFilter) -> list[ActiveTarget]:
    """The targets that are wanted; ``not_found`` when the pool does not exist."""
    found = await active_targets(backend, deadline, pool=wanted.pool, wanted=wanted.wants)
    if not found and wanted.pool:
        await check_pool(backend, deadline, wanted.pool)
    return found


def _header(backend: Backend, targets: Sequence[ActiveTarget], wanted: TargetFilter) -> str:
    if not targets:
        return f"{backend.name}: no targets{wanted.describe()}"
    counts = [f"{_count(targets, health)} {health}" for health in ("up", "down", "unknown")]
    return f"{backend.name}: {number_of(len(targets), 'target')}{wanted.describe()}: {', '.join(counts)}"


def _table(backend: Backend, columns: Sequence[str], rows: list[list[Cell]], *, title: str = "") -> Table:
    """A table whose error texts may quote what a target sent."""
    return Table(columns, rows, title=title, untrusted=True, source=f"prometheus {backend.name} targets")


def _pool_rows(targets: Sequence[ActiveTarget]) -> list[list[Cell]]:
    pools: dict[str, list[ActiveTarget]] = {}
    for target in targets:
        pools.setdefault(target.scrape_pool, []).append(target)
    ordered = sorted(pools.items(), key=lambda pool: (_count(pool[1], "up") - len(pool[1]), pool[0]))
    return [
        [
            name,
            *(_count(members, health) for health in ("up", "down", "unknown")),
            seconds_shown(max(target.last_scrape_duration for target in members)),
        ]
        for name, members in ordered
    ]


def _count(targets: Sequence[ActiveTarget], health: str) -> int:
    return sum(1 for target in targets if target.health == health)


def _not_up_row(target: ActiveTarget) -> list[Cell]:
    instance = (target.labels or {}).get("instance", "")
    took = seconds_shown(target.last_scrape_duration)
    return [target.scrape_pool, instance, target.health, age(target.last_scrape), took, message(target.last_error)]


def _row(target: ActiveTarget) -> list[Cell]:
    *first, error = _not_up_row(target)
    others = series_text(target.labels or {}, without=_SHOWN_APART)
    return [*first, target.scrape_interval or None, others if others != "{}" else None, error or None]
