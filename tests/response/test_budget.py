"""Answers keep to their budget, say what was cut, and cursors skip nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.result import Document, Image, Page, Result, Table, Text
from cloud_native_mcp.response.budget import shares
from cloud_native_mcp.response.size import head_within, size_of, tail_within
from tests.promises import promise
from tests.response.rendering import render, shown, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.result import CursorState

Blocks = Table | Text | Document


@st.composite
def blocks_of_any_size(draw: st.DrawFn) -> Blocks:
    count, words = draw(st.integers(0, 400)), draw(st.text(max_size=40))
    match draw(st.sampled_from(["table", "head", "tail", "document"])):
        case "table":
            return Table(["A", "B"], [[f"row{at}", words] for at in range(count)], untrusted=draw(st.booleans()))
        case "document":
            return Document({f"k{at}": at for at in range(count)}, title=words)
        case keep:
            lines = f"{words}\n" * count
            return Text(lines, untrusted=True, source=words, keep="tail" if keep == "tail" else "head")


@given(
    st.lists(blocks_of_any_size(), max_size=60),
    st.integers(2_000, 20_000),
    st.booleans(),
    st.lists(st.text(max_size=300), max_size=9),
)
def test_no_answer_is_longer_than_its_limit(blocks: list[Blocks], limit: int, paged: bool, notes: list[str]) -> None:
    total = sum(len(block.rows) for block in blocks if isinstance(block, Table))
    page = Page(lambda n: {"at": n} if n < total else None, total=total, narrow="namespace") if paged else None
    rendered = render(Result("header", blocks, page, notes=notes), limit=limit)
    assert rendered.size == size_of(text_of(rendered)) <= limit


@given(st.lists(st.integers(0, 10_000), max_size=12), st.integers(0, 20_000))
def test_shares_never_exceed_the_limit_and_small_parts_are_whole(sizes: list[int], limit: int) -> None:
    allowed = shares(sizes, limit)
    assert sum(allowed) <= max(limit, 0)
    assert all(a <= s for a, s in zip(allowed, sizes, strict=True))
    if sum(sizes) <= limit:
        assert allowed == sizes


def _walk(rows: Sequence[Sequence[str]], limit: int) -> list[str]:
    """Follow the cursors from the first page to the last; the names seen."""
    seen: list[str] = []
    start: int | None = 0
    while start is not None:
        rest = rows[start:]
        following: list[CursorState] = []

        def resume(count: int, start: int = start, following: list[CursorState] = following) -> CursorState | None:
            following[:] = [{"at": start + count}] if start + count < len(rows) else []
            return following[0] if following else None

        half = len(rest) // 2
        tables = [Table(["NAME", "X"], rest[:half], title="a"), Table(["NAME", "X"], rest[half:], title="b")]
        rendered = render(Result("h", tables, Page(resume, total=len(rows))), limit=limit)
        lines = text_of(rendered).split("\n")
        seen.extend(line.split("\t")[0] for line in lines if line.startswith("pod-"))
        found = re.search(r"cursor: sealed:at=(\d+)$", lines[-1])
        assert (found is None) == (not following)
        assert rendered.shown > 0
        start = int(found.group(1)) if found else None
    return seen


@pytest.mark.parametrize("limit", [1_000, 4_000, 16_000])
@promise("B17")
def test_the_cursors_walk_every_row_of_all_tables_exactly_once(limit: int) -> None:
    rows = [[f"pod-{n:04}", "x" * (n % 90)] for n in range(500)]
    assert _walk(rows, limit) == [row[0] for row in rows]


def test_a_row_longer_than_the_whole_limit_is_cut_and_the_page_still_goes_on() -> None:
    rows = [["pod-1", "x" * 50_000], ["pod-2", "y"]]
    assert _walk(rows, 2_000) == ["pod-1", "pod-2"]
    assert "… cut: " in shown(Result("h", [Table(["A", "B"], rows)]), limit=2_000)


def test_a_page_says_how_much_is_shown_how_to_narrow_and_how_to_go_on() -> None:
    page = Page(lambda n: {"at": n}, total=2_059, at_least=True, narrow="namespace, label_selector")
    text = shown(Result("pods", [Table(["NAME"], [["a"], ["b"]])], page))
    assert text.endswith("\nshown 2 of at least 2059 · narrow with namespace, label_selector · cursor: sealed:at=2")
    whole = shown(Result("pods", [Table(["NAME"], [["a"]])], Page(lambda _: None, total=1)))
    assert whole.endswith("\nshown 1 of 1")
    unknown = shown(Result("pods", [Table(["NAME"], [["a"]])], Page(lambda _: {"c": 1})))
    assert unknown.endswith("\nshown 1, more follow · cursor: sealed:c=1")


def test_a_list_that_cannot_go_on_says_how_to_narrow_it_where_something_is_left_out() -> None:
    table = Table(["NAME"], [["a"], ["b"]])
    limited = shown(Result("flags", [table], Page(None, total=74, narrow="search or limit")))
    assert limited.endswith("\nshown 2 of 74 · narrow with search or limit")
    whole = shown(Result("flags", [table], Page(None, total=2, narrow="search or limit")))
    assert whole.endswith("\nshown 2 of 2")
    cut = shown(
        Result("h", [Table(["NAME"], [["x" * 50] for _ in range(100)])], Page(None, narrow="limit")), limit=1_000
    )
    assert re.search(r"\nshown \d+ · narrow with limit$", cut)


def test_a_cut_table_without_pages_says_how_many_rows_there_are() -> None:
    text = shown(Result("h", [Table(["NAME"], [["x" * 50] for _ in range(100)])]), limit=1_000)
    assert re.search(r"\n… cut: \d+ of 100 rows shown$", text)


def test_logs_keep_their_end_and_documents_their_start() -> None:
    lines = [f"line {n}" for n in range(2_000)]
    text = "\n".join(lines)
    tail = shown(Result("h", [Text(text, keep="tail", untrusted=True, source="log")]), limit=2_000)
    assert tail.startswith("h\n… cut: last 1.")
    assert "\nline 1999\n</untrusted>" in tail
    head = shown(Result("h", [Document(lines)]), limit=2_000)
    assert head.startswith("h\n- line 0\n")
    assert re.search(r"\n… cut: first 1\.\d kB of 22\.\d kB, \d+ of 2000 lines shown$", head)


@given(st.text(max_size=300), st.integers(0, 400))
def test_cuts_fall_between_lines_or_characters(text: str, limit: int) -> None:
    for kept in (head_within(text, limit), tail_within(text, limit)):
        assert size_of(kept) <= limit or kept == ""
        assert kept in text


def test_a_picture_over_the_limit_is_left_out_and_named() -> None:
    result = Result("chart", [Image(b"x" * 3_000), Image(b"y" * 20_000)])
    rendered = render(result, limit=16_000)
    assert [block["type"] for block in rendered.content] == ["text", "image"]
    assert rendered.content[1] == {"type": "image", "data": "eHh4" * 1_000, "mimeType": "image/png"}
    assert "a picture of 20 kB is left out: the limit is 16 kB" in text_of(rendered)


def test_the_facts_of_a_result_are_not_shown() -> None:
    assert shown(Result("h", facts={"rows": [1, 2, 3]})) == "h"


def test_failed_sources_are_named() -> None:
    assert shown(Result("h", partial=["cluster b: timeout"], notes=["step widened to 30s"])) == (
        "h\nstep widened to 30s\npartial: cluster b: timeout"
    )
