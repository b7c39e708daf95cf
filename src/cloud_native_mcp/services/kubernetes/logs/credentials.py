"""Takes credentials out of a log before lines are chosen, so that no filter can feel for what is masked."""

from __future__ import annotations

import re
from typing import Final

from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.mask import MASK, scrub

LONGEST_LINE: Final = 64_000
"""Characters of a line that are looked at; of a longer one the rest is dropped."""
LONGEST_KEY: Final = 120
"""Lines a private key may take: 8,192 bits are about 100."""
_MARK: Final = "PRIVATE KEY"
_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_LINE: Final = re.compile(r"[A-Za-z0-9+/=]{40,}")
_LAST_KEY_LINE: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class LineMask:
    """Cleans and masks the lines of one log. A private key is followed over lines, also when its start is missing."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = 0

    def lines(self, text: str) -> list[str]:
        """The lines of a piece of a log that ends where a line ends; cleaned and masked."""
        if len(text) > LONGEST_LINE:
            text = "\n".join(row[:LONGEST_LINE] for row in text.split("\n"))
        plain = clean(text).removesuffix("\n")
        rows = plain.split("\n")
        if not self._left and _MARK not in plain and scrub(plain) is plain:
            return rows
        masked: list[str] = []
        for row in rows:
            masked.append(self._line(row, masked))
        return masked

    def _line(self, row: str, before: list[str]) -> str:
        if _END.search(row):
            if not self._left and not _BEGIN.search(row):
                _mask_back(before)
            self._left = 0
        elif _BEGIN.search(row):
            self._left = LONGEST_KEY
        elif self._left:
            self._left -= 1
            stamp, found, rest = row.partition(" ")
            body = rest if found else stamp
            if _KEY_LINE.search(body) or _LAST_KEY_LINE.fullmatch(body):
                return f"{stamp} {MASK}" if found else MASK
        return scrub(row)


def _mask_back(lines: list[str]) -> None:
    """Mask the key whose end was met without its beginning."""
    last = len(lines) - 1
    for index in range(last, max(-1, last - LONGEST_KEY), -1):
        stamp, found, rest = lines[index].partition(" ")
        body = rest if found else stamp
        if not _KEY_LINE.search(body) and not (index == last and _LAST_KEY_LINE.fullmatch(body)):
            return
        lines[index] = f"{stamp} {MASK}" if found else MASK
