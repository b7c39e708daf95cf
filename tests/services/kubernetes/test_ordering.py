"""The order of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.services.kubernetes.listing.ordering import age_seconds, sort_key

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Cell


def in_order(cells: list[Cell], *, is_age: bool = False) -> list[Cell]:
    """The cells sorted."""
    return sorted(cells, key=lambda cell: sort_key(cell, is_age=is_age))


def test_quantities_and_numbers_are_ordered_by_value() -> None:
    assert in_order(["1Gi", "200Mi", "1Ki", "2Gi"]) == ["1Ki", "200Mi", "1Gi", "2Gi"]
    assert in_order([10, 9, 2.5]) == [2.5, 9, 10]
    assert in_order(["10", "9"]) == ["9", "10"]


def test_restarts_are_ordered_by_their_count_and_readiness_by_its_share() -> None:
    assert in_order(["12 (5m ago)", "4 (1h ago)", "0"]) == ["0", "4 (1h ago)", "12 (5m ago)"]
    assert in_order(["3/3", "0/2", "1/2"]) == ["0/2", "1/2", "3/3"]


def test_ages_are_ordered_by_time() -> None:
    assert in_order(["3d4h", "90m", "2m30s", "1y2d"], is_age=True) == ["2m30s", "90m", "3d4h", "1y2d"]


def test_texts_come_after_numbers_and_empty_cells_last() -> None:
    assert in_order([None, "b", "", "a", "<none>", 3]) == [3, "a", "b", None, "", "<none>"]


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("3d4h", 273_600), ("5m10s", 310), ("2y", 63_072_000)])
def test_an_age_is_read_in_seconds(text: str, seconds: float) -> None:
    assert age_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "4h3d", "soon", "-5m"])
def test_what_is_no_age_has_no_seconds(text: str) -> None:
    assert age_seconds(text) is None
