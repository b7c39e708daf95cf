"""The form of the keys this server makes: ``cnmcp_<key id>_<random><checksum>``.

The prefix lets scanners find keys that leaked (`PATTERN`), the key id names a key without telling it, the 43 characters
after it hold 256 random bits, and the last six are the CRC-32 of all before them, so that a mistyped or cut key is told
from an unknown one.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from typing import Final

PREFIX: Final = "cnmcp_"
KEY_ID: Final = r"[a-z][a-z0-9]{9}"
PATTERN: Final = rf"{PREFIX}(?P<key_id>{KEY_ID})_[0-9A-Za-z]{{49}}"
"""What a whole key looks like."""

_LETTERS: Final = string.digits + string.ascii_letters
_KEY: Final = re.compile(PATTERN.encode(), re.ASCII)
_RANDOM_CHARACTERS: Final = 43
_CHECK_CHARACTERS: Final = 6


def new_key() -> tuple[str, str]:
    """A fresh key id, and the key."""
    key_id = secrets.choice(string.ascii_lowercase) + "".join(
        secrets.choice(string.ascii_lowercase + string.digits) for _ in range(9)
    )
    body = PREFIX + key_id + "_" + "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_CHARACTERS))
    return key_id, body + _checksum(body.encode())


def is_misspelt(key: bytes) -> bool:
    """Whether this is meant to be a key of this form and cannot be one."""
    if not key.startswith(PREFIX.encode()):
        return False
    return _KEY.fullmatch(key) is None or _checksum(key[:-_CHECK_CHARACTERS]).encode() != key[-_CHECK_CHARACTERS:]


def _checksum(body: bytes) -> str:
    """CRC-32 in base 62."""
    rest, text = zlib.crc32(body), ""
    for _ in range(_CHECK_CHARACTERS):
        rest, digit = divmod(rest, len(_LETTERS))
        text = _LETTERS[digit] + text
    return text
