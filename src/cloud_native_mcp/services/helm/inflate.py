"""Unpacking gzip within a bound, as release bodies and chart archives come."""

from __future__ import annotations

import zlib
from typing import Final

GZIP: Final = b"\x1f\x8b"
"""How gzip begins."""
_WITH_GZIP_HEADER: Final = 31


class InflateError(ValueError):
    """It cannot be unpacked; the text says why, as the end of a sentence."""


def inflate(packed: bytes, *, most: int) -> bytes:
    """The unpacked bytes.

    Raises:
        InflateError: no gzip, cut off, or more than ``most`` bytes.
    """
    unpacker = zlib.decompressobj(_WITH_GZIP_HEADER)
    try:
        plain = unpacker.decompress(packed, most)
    except zlib.error as error:
        raise InflateError("is not gzip") from error
    if unpacker.unconsumed_tail:
        raise InflateError(f"is larger than {most // 1_000_000} MB")
    if not unpacker.eof:
        raise InflateError("ends too early")
    return plain
