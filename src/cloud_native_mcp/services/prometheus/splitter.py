"""Cuts a long JSON array into its elements while the body arrives, without decoding the whole."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECODER: Final = json.JSONDecoder()
_LONGEST_MARKER: Final = 64
_BETWEEN: Final = re.compile(rb"\}\s{0,8},\s{0,8}\Z")


class IncompleteJson(Exception):
    """The body ended inside an element."""


class Splitter:
    """Elements of arrays whose elements all begin alike.

    Args:
        key: the first key of an element, whose value is an object: elements begin with ``{"key":{``. Inside a string
            the quotes would be escaped, so that text of a label can never look like the beginning of an element.

    What is around the elements is kept apart (`finish`): it is the same document with empty arrays.
    """

    __slots__ = ("_buffer", "_frame", "_inside", "_marker", "_scanned")

    def __init__(self, key: str) -> None:
        self._marker = re.compile(rb'\{\s{0,8}"%b"\s{0,8}:\s{0,8}\{' % re.escape(key.encode()))
        self._buffer = bytearray()
        self._frame = bytearray()
        self._inside = False
        self._scanned = 0

    def feed(self, part: bytes) -> Iterator[bytes]:
        """The elements that are whole after one more part of the body."""
        self._buffer += part
        while (found := self._marker.search(self._buffer, self._scanned)) is not None:
            start = found.start()
            del found  # it would keep the buffer from shrinking
            piece = bytes(self._buffer[:start])
            del self._buffer[:start]
            self._scanned = 1
            if self._inside:
                yield self._element(piece)
            else:
                self._frame += piece
                self._inside = True
        self._scanned = max(self._scanned, len(self._buffer) - _LONGEST_MARKER)

    @property
    def waiting(self) -> int:
        """Bytes held that are not yet part of a whole element."""
        return len(self._buffer)

    def finish(self) -> tuple[bytes | None, bytes]:
        """The last element, if any, and the document around the elements.

        Raises:
            IncompleteJson: the body ended inside an element.
        """
        rest = bytes(self._buffer)
        if not self._inside:
            return None, rest
        return self._element(rest), bytes(self._frame)

    def _element(self, piece: bytes) -> bytes:
        """Cut what follows the element (a comma, or the way to the next array) off and keep it in the frame."""
        if _BETWEEN.search(piece, max(0, len(piece) - _LONGEST_MARKER)) is not None:
            return piece[: piece.rindex(b",")]
        try:
            text = piece.decode()
            _, end = _DECODER.raw_decode(text)
        except ValueError:
            raise IncompleteJson from None
        self._frame += text[end:].encode()
        return text[:end].encode()
