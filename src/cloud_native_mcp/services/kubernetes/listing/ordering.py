"""Ordering of cells as people read them: numbers, quantities, ages and shares by value, all else as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.kubernetes.quantities import parse_quantity

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Cell

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 31_536_000}
_AGE: Final = re.compile(r"(?:(\d+)y)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SHARE: Final = re.compile(r"(\d+)/(\d+)")
_COUNTED: Final = re.compile(r"(\d+) \(.*ago\)")

SortKey = tuple[int, float, str]


def sort_key(cell: Cell, *, is_age: bool) -> SortKey:
    """Key of a cell: values first by number, then texts, empty cells last."""
    if cell is None or cell in ("", "<none>", "<unknown>"):
        return (2, 0.0, "")
    if isinstance(cell, bool | int | float):
        return (0, float(cell), "")
    number = age_seconds(cell) if is_age else _number(cell)
    return (1, 0.0, cell) if number is None else (0, number, cell)


def age_seconds(text: str) -> float | None:
    """The seconds of an age as kubectl shows it (``3d4h``), or None."""
    match = _AGE.fullmatch(text)
    if match is None or not text:
        return None
    return sum(int(part) * _SECONDS[unit] for part, unit in zip(match.groups(), "ydhms", strict=True) if part)


def _number(text: str) -> float | None:
    if share := _SHARE.fullmatch(text):
        return int(share[1]) / (int(share[2]) or 1)
    if counted := _COUNTED.fullmatch(text):
        return float(counted[1])
    return parse_quantity(text)
