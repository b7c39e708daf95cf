"""Reading of a body: decoded bytes are counted here, whatever the transport says, and a cut body is an error."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Protocol

from cloud_native_mcp.upstream.errors import AttemptError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_STEP = 262_144
"""Decoded bytes made at once, so that a bomb is met before it has grown."""
_YIELD_EVERY = 1_000_000


class _Decoder(Protocol):
    """Decodes a content coding in bounded steps."""

    def feed(self, data: bytes) -> None: ...

    def step(self) -> bytes:
        """The next decoded bytes; empty when more input is needed."""
        ...

    @property
    def whole(self) -> bool:
        """Whether the input so far ends where a coded body may end."""
        ...


class _Plain:
    whole = True

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> None:
        self._data = data

    def step(self) -> bytes:
        data, self._data = self._data, b""
        return data


class _Gzip:
    """Members of a gzip body, one after the other."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        self._pending = b""
        self._started = False

    def feed(self, data: bytes) -> None:
        self._pending += data

    def step(self) -> bytes:
        while self._pending or self._inflate.unconsumed_tail:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(_GZIP_WINDOW)
            self._started = True
            part = self._inflate.decompress(self._pending, _STEP)
            self._pending = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if part:
                return part
            if not self._inflate.eof:
                break
        return b""

    @property
    def whole(self) -> bool:
        return self._inflate.eof or not self._started


def decoder_for(headers: Mapping[str, str], label: str) -> _Decoder:
    """The decoder of an answer's content coding.

    Raises:
        AttemptError: ``bad_answer`` for a coding that was not asked for.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return _Plain()
    if coding in {"gzip", "x-gzip"}:
        return _Gzip()
    raise _bad(label, f"the answer has the content coding {coding[:40]!a}, which was not asked for")


async def decoded(
    raw: AsyncIterator[bytes], headers: Mapping[str, str], *, max_bytes: int, label: str
) -> AsyncIterator[bytes]:
    """The decoded parts of a body, at most ``max_bytes`` in all (and at most as many coded ones).

    Raises:
        AttemptError: ``bad_answer`` when the body is larger, cut short, or not what its content coding says.
    """
    decoder = decoder_for(headers, label)
    coded = total = since_yield = 0
    async for chunk in raw:
        coded += len(chunk)
        decoder.feed(chunk)
        while part := _step(decoder, label):
            total += len(part)
            since_yield += len(part)
            if total > max_bytes:
                raise _too_large(label, max_bytes)
            yield part
            if since_yield > _YIELD_EVERY:
                since_yield = 0
                await asyncio.sleep(0)
        if coded > max_bytes:
            raise _too_large(label, max_bytes)
    if not decoder.whole:
        raise _bad(label, f"incomplete answer: the compressed body was cut after {total} bytes")


def _step(decoder: _Decoder, label: str) -> bytes:
    try:
        return decoder.step()
    except zlib.error as error:
        raise _bad(label, "incomplete answer: the body is not valid gzip") from error


def _too_large(label: str, max_bytes: int) -> AttemptError:
    return _bad(
        label, f"the answer is larger than {_megabytes(max_bytes)} and was not read further; narrow the request"
    )


def _bad(label: str, reason: str) -> AttemptError:
    return AttemptError("bad_answer", label, reason)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:g} MB" if size >= 100_000 else f"{size} bytes"
