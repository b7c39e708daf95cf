"""What is around matches in long texts."""

from __future__ import annotations

from cloud_native_mcp.services.utilities.excerpt import find


def test_matches_that_lie_apart_are_shown_with_a_gap_between() -> None:
    lines = [f"line {number}" for number in range(40)]
    lines[5] = lines[7] = lines[30] = "hit"
    found = find("\n".join(lines), "HIT")
    assert found.matches == 3
    assert found.text.splitlines() == [*lines[2:11], "\u2026", *lines[27:34]]
