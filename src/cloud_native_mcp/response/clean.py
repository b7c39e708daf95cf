"""Takes out of text what a reader cannot see but a terminal or a model acts on.

Removed: ANSI sequences (CSI, OSC, DCS and the like), C0 and C1 controls except newline and tab, bidirectional controls,
zero-width and other invisible characters (tags and variation selectors carry hidden text), unpaired surrogates.
Carriage returns and the Unicode line separators become newlines.
"""

from __future__ import annotations

import re
from typing import Final

_ASCII_CONTROLS: Final = bytes([*(c for c in range(32) if c not in {9, 10}), 127])

# Each alternative stops at the next character that starts a sequence, so the whole pass is linear.
_ANSI: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x90\x98\x9b-\x9f\n]*(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x90\x98\x9b-\x9f\n]*(?:\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)


def clean(text: str) -> str:
    """The text without invisible and controlling characters; newlines and tabs stay. Cleaning twice changes nothing."""
    if text.isascii():
        if text.isprintable():
            return text
        encoded = text.encode("ascii")
        if len(encoded.translate(None, _ASCII_CONTROLS)) == len(encoded):
            return text
    return _INVISIBLE.sub("", _LINE_ENDS.sub("\n", _ANSI.sub("", text)))


def clean_line(text: str) -> str:
    """As `clean`, on one line: newlines are shown as ⏎ and tabs as spaces, so that cells and lines keep their place."""
    if text.isascii() and text.isprintable():
        return text
    return clean(text).rstrip("\n").replace("\n", "⏎").replace("\t", " ")
