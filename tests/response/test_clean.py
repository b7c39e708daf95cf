"""Invisible and controlling characters do not get out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.response.clean import clean, clean_line
from tests.promises import promise

ANY_TEXT = st.text(st.characters(exclude_categories=()))
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\U000e0041\ufe0f"


@pytest.mark.parametrize(
    ("given_text", "left"),
    [
        ("plain text, tab\tand\nnewline", "plain text, tab\tand\nnewline"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;196;1mred\x1b[K", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\text", "text"),
        ("\x1b]never ended", "never ended"),
        ("\x1bcreset", "reset"),
        ("a\rb\r\nc\x85d\u2028e", "a\nb\nc\nd\ne"),
        ("nul\x00 bell\x07 del\x7f c1\x86", "nul bell del c1"),
        (f"bidi{BIDI}", "bidi"),
        (f"zero{ZERO_WIDTH}width", "zerowidth"),
        ("lone\ud800surrogate\udfff", "lonesurrogate"),
        ("Straße 東京 ✓ emoji 🎉", "Straße 東京 ✓ emoji 🎉"),
    ],
)
@promise("S13")
def test_what_cannot_be_seen_is_removed_and_the_rest_stays(given_text: str, left: str) -> None:
    assert clean(given_text) == left


@given(ANY_TEXT)
@promise("B22")
def test_no_text_keeps_controls_bidi_zero_width_or_surrogates(text: str) -> None:
    left = clean(text)
    assert not set(left) & set(BIDI + ZERO_WIDTH + "\x1b\x9b\r")
    assert not [c for c in left if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"]
    left.encode("utf-8")


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",))))
def test_printable_ascii_is_untouched(text: str) -> None:
    assert clean(text) == text


@given(ANY_TEXT)
def test_a_line_stays_one_line_without_tabs(text: str) -> None:
    line = clean_line(text)
    assert "\n" not in line
    assert "\t" not in line
    assert len(line.splitlines()) <= 1
