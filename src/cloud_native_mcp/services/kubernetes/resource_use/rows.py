"""What the views of ``kubernetes_top`` are made of: rows with the numbers they are sorted and chosen by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloud_native_mcp.services.kubernetes.quantities import show_cpu, show_memory, show_share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cloud_native_mcp.contract.result import Cell, Text

Show = Literal["all", "near_limit", "idle", "overprovisioned", "no_requests"]
SortBy = Literal["cpu", "memory", "disk", "cpu_ratio", "memory_ratio", "restarts", "name"]

NEAR: Final = 0.8
"""Share of the limit, capacity or quota from which on a row is near it."""
IDLE_SHARE: Final = 0.05
IDLE_CPU: Final = 0.005
"""Idle: below this share of the CPU request (or of the capacity), or below 5m where nothing is requested."""
LOW: Final = 0.3
"""Overprovisioned: below this share of the CPU or memory request."""
RULES: Final[Mapping[Show, str]] = {
    "near_limit": f"at {NEAR:.0%} or more of a limit, capacity or quota",
    "idle": f"below {IDLE_SHARE:.0%} of the CPU request or capacity, or below 5m without request",
    "overprovisioned": f"below {LOW:.0%} of the CPU or memory request",
    "no_requests": "a container states no CPU or no memory request",
}


class Amount(NamedTuple):
    """CPU in cores and memory in bytes; None is unknown, or not stated."""

    cpu: float | None = None
    memory: float | None = None


@dataclass(slots=True)
class Row:
    """One row.

    Attributes:
        cells: makes the cells; called for the rows that are shown.
        order: numbers by what rows can be sorted by; None sorts last.
        fits: which of `Show` the row is.
    """

    name: str
    cells: Callable[[], Sequence[Cell]]
    order: Mapping[str, float | None]
    fits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class View:
    """All rows of a view.

    Attributes:
        sorts: what rows can be sorted by besides name; the first is used when ``sort_by`` is not given.
        shows: what rows can be chosen by.
        partial: sources that failed.
        more: what stands below the rows of the first page.
    """

    columns: Sequence[str]
    rows: Sequence[Row]
    sorts: Sequence[str]
    shows: frozenset[str]
    notes: Sequence[str] = ()
    partial: Sequence[str] = ()
    more: Sequence[Text] = ()


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of what is known; None where nothing is."""
    cpu = memory = None
    for amount in amounts:
        cpu = plus(cpu, amount.cpu)
        memory = plus(memory, amount.memory)
    return Amount(cpu, memory)


def total_bound(amounts: Sequence[Amount]) -> Amount:
    """The sum of limits; None where one is not limited."""
    cpus, memories = [a.cpu for a in amounts], [a.memory for a in amounts]
    return Amount(_bound(cpus), _bound(memories))


def plus(one: float | None, other: float | None) -> float | None:
    """The sum, unknown counted as nothing unless both are."""
    if one is None or other is None:
        return one if other is None else other
    return one + other


def share(part: float | None, whole: float | None) -> float | None:
    """The ratio, when it is known."""
    return None if part is None or not whole else part / whole


def use_fits(use: Amount, request: Amount, limit: Amount) -> set[str]:
    """Which of near_limit, idle and overprovisioned a use is."""
    fits: set[str] = set()
    if any((found := share(part, whole)) is not None and found >= NEAR for part, whole in zip(use, limit, strict=True)):
        fits.add("near_limit")
    if any((found := share(part, whole)) is not None and found < LOW for part, whole in zip(use, request, strict=True)):
        fits.add("overprovisioned")
    if use.cpu is not None and use.cpu < (IDLE_SHARE * request.cpu if request.cpu else IDLE_CPU):
        fits.add("idle")
    return fits


def use_order(use: Amount, request: Amount, limit: Amount) -> dict[str, float | None]:
    """The numbers to sort by; a ratio is of the limit where there is one, else of the request."""
    return {
        "cpu": use.cpu,
        "memory": use.memory,
        "cpu_ratio": share(use.cpu, limit.cpu or request.cpu),
        "memory_ratio": share(use.memory, limit.memory or request.memory),
    }


def use_cells(use: Amount, request: Amount, limit: Amount) -> list[Cell]:
    """USE, REQUEST, LIMIT, USE/REQUEST and USE/LIMIT of CPU, then of memory (`USE_COLUMNS`)."""
    cells: list[Cell] = []
    for index, show in ((0, show_cpu), (1, show_memory)):
        used, asked, bound = use[index], request[index], limit[index]
        cells += [show(used), show(asked), show(bound), show_share(used, asked), show_share(used, bound)]
    return cells


USE_COLUMNS: Final = tuple(
    f"{resource}{column}" for resource in ("CPU", "MEM") for column in ("", " REQ", " LIM", "/REQ", "/LIM")
)


def _bound(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
