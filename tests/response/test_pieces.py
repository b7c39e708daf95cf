"""Long texts in pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.response.parts import safe_text
from cloud_native_mcp.response.pieces import piece
from cloud_native_mcp.response.size import size_of


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
