"""Cuts a long JSON array into its elements while the body arrives, without decoding the whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECODER = json.JSONDecoder()


class IncompleteJson(Exception):
    """The body ended inside an element."""


class Splitter:
    """Elements of arrays whose elements all begin with the same bytes.

    Args:
        marker: how an element begins, such as ``{"metric":{``. It must hold an unescaped quote and end in a bracket, so
            that it cannot occur inside a string or where a string is the value.

    What is around the elements is kept apart (`finish`): it is the same document with empty arrays.
    """

    __slots__ = ("_buffer", "_frame", "_inside", "_marker", "_scanned")

    def __init__(self, marker: bytes) -> None:
        self._marker = marker
        self._buffer = bytearray()
        self._frame = bytearray()
        self._inside = False
        self._scanned = 0

    def feed(self, part: bytes) -> Iterator[bytes]:
        """The elements that are whole after one more part of the body."""
        self._buffer += part
        while (found := self._buffer.find(self._marker, self._scanned)) >= 0:
            piece = bytes(self._buffer[:found])
            del self._buffer[:found]
            self._scanned = 1
            if self._inside:
                yield self._element(piece)
            else:
                self._frame += piece
                self._inside = True
        self._scanned = max(self._scanned, len(self._buffer) - len(self._marker) + 1)

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
        if piece.endswith(b"},"):
            return piece[:-1]
        try:
            text = piece.decode()
            _, end = _DECODER.raw_decode(text)
        except ValueError:
            raise IncompleteJson from None
        self._frame += text[end:].encode()
        return text[:end].encode()
