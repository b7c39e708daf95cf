"""Tables: one line a row whatever the cells hold, and cheap in tokens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.result import Page, Result, Table
from cloud_native_mcp.response.table import lines_of
from tests.response.rendering import render, shown

CELLS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=20)
)


def test_a_row_is_one_line_of_cells_between_tabs() -> None:
    rows = [["web", 3, None, True, 1.5, ""], ["two\nlines", 0, "a\tb", False, 2.0, "x\x1b[1m"]]
    assert lines_of(["NAME", "N", "NODE", "OK", "CPU", "Z"], rows) == [
        "NAME\tN\tNODE\tOK\tCPU\tZ",
        "web\t3\t-\ttrue\t1.5\t-",
        "two⏎lines\t0\ta b\tfalse\t2\tx",
    ]


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), max_size=8)))
def test_no_cell_moves_another(rows: list[list[str | int | float | bool | None]]) -> None:
    columns = ["C"] * (len(rows[0]) if rows else 1)
    lines = lines_of(columns, rows)
    assert len(lines) == len(rows) + 1
    assert {len(line.split("\t")) for line in lines} == {len(columns)}


def test_a_private_key_in_one_cell_does_not_swallow_the_rows_below() -> None:
    rows = [["-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQ"], ["next"]]
    assert lines_of(["VALUE"], rows) == ["VALUE", "***", "next"]


def test_a_table_of_59_pods_costs_at_most_900_tokens() -> None:
    rows = [[f"payment-gateway-7c9d8f6b5{n:02}-x{n:04}", "1/1", "Running", 0, f"{n}d"] for n in range(59)]
    table = Table(["NAME", "READY", "STATUS", "RESTARTS", "AGE"], rows)
    page = Page(lambda _: None, total=59)
    assert render(Result("59 pods in payments, cluster prod, live", [table], page)).size / 4 <= 900


def test_an_empty_table_says_so_in_one_word() -> None:
    result = Result("pods in shop with app=web", [Table(["NAME"], [], title="Pods")])
    assert shown(result) == "pods in shop with app=web\nPods\n(none)"
