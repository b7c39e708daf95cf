"""The marked block around text that others wrote, so that a reader knows where it starts, ends, and whose it is."""

from __future__ import annotations

import re
from typing import Final

from cloud_native_mcp.response.clean import clean_line

_ANGLES: Final = "<\u2039\u27e8\u2329\u3008\u276e\u2770\uff1c\ufe64\u02c2\u1438"
_LOOKALIKES: Final = {
    "u": "u\u03c5\u057d\u1d1c",
    "n": "n\u0578\u057c",
    "t": "t\u0442\u03c4",
    "r": "r\u0433\u1d26",
    "s": "s\u0455\ua731",
    "e": "e\u0435\u212e",
    "d": "d\u0501\u217e",
}


def _letter(letter: str) -> str:
    wide = chr(ord(letter) - ord("a") + 0xFF41)
    return f"[{_LOOKALIKES[letter]}{wide}]"


# A run between two letters never crosses another angle and is never given back, so the search is linear.
_GAP: Final = rf"(?:[^\w{_ANGLES}]|_)*+"
_MARKER: Final = re.compile(
    rf"[{_ANGLES}](?={_GAP}" + _GAP.join(_letter(letter) for letter in "untrusted") + ")", re.IGNORECASE
)


def defuse(text: str) -> str:
    """The text with whatever could be read as one of the envelope's markers escaped.

    Letter case, spacing, slashes, full-width and look-alike letters and brackets are seen through; the text must have
    been cleaned of invisible characters.
    """
    if text.isascii() and "<" not in text:
        return text
    return _MARKER.sub("&lt;", text)


def wrap(text: str, source: str) -> str:
    """Defused text inside the envelope that names its source."""
    name = clean_line(source)[:200]
    for sign, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        name = name.replace(sign, entity)
    name = defuse(name)
    opening = f'<untrusted source="{name}">' if name else "<untrusted>"
    return f"{opening}\n{text}\n</untrusted>"
