"""Near names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.suggest import nearest

TOOLS = ["kubernetes_list", "kubernetes_get", "kubernetes_logs", "prometheus_query", "utilities_time"]


def test_a_misspelt_name_finds_its_neighbour_first() -> None:
    assert nearest("kubernets_lst", TOOLS)[0] == "kubernetes_list"


def test_letter_case_is_ignored() -> None:
    assert nearest("PROMETHEUS_QUERY", TOOLS) == ["prometheus_query"]


def test_a_part_of_a_name_finds_the_whole() -> None:
    assert "prometheus_query" in nearest("query", TOOLS)


def test_a_name_like_nothing_finds_nothing() -> None:
    assert nearest("zzzzzz", TOOLS) == []


def test_a_neighbour_is_found_among_thousands() -> None:
    names = [f"container_{number}_seconds_total" for number in range(5_000)] + ["node_memory_free_bytes"]
    assert nearest("node_memory_free_byte", names)[0] == "node_memory_free_bytes"


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=30))
def test_only_given_names_are_suggested_and_at_most_three(name: str, choices: list[str]) -> None:
    found = nearest(name, choices)
    assert len(found) <= 3
    assert set(found) <= set(choices)
