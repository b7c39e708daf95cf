"""Parts of long texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.response.parts import safe_text
from cloud_native_mcp.response.size import size_of
from cloud_native_mcp.services.utilities.excerpt import find, piece


@given(st.text(alphabet="ab\n \u00e9\u20ac\U0001f600<untrsed>", max_size=400), st.integers(20, 200))
def test_pieces_make_up_the_whole_text_and_each_keeps_to_its_bytes(text: str, max_bytes: int) -> None:
    found, start = list[str](), 0
    while True:
        part = piece(text, start, max_bytes)
        assert size_of(safe_text(part.text)) <= max_bytes
        found.append(part.text)
        if part.next is None:
            break
        assert part.next > start
        start = part.next
    assert "".join(found) == text


def test_a_piece_ends_at_a_line_where_one_is_near() -> None:
    assert piece("one\ntwo\nthree\nfour", 0, 10).text == "one\ntwo\n"


def test_matches_that_lie_apart_are_shown_with_a_gap_between() -> None:
    lines = [f"line {number}" for number in range(40)]
    lines[5] = lines[7] = lines[30] = "hit"
    found = find("\n".join(lines), "HIT")
    assert found.matches == 3
    assert found.text.splitlines() == [*lines[2:11], "\u2026", *lines[27:34]]
