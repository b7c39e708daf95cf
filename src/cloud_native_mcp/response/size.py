"""Sizes of answers: bytes of UTF-8, in kB of 1,000 bytes."""

from __future__ import annotations


def size_of(text: str) -> int:
    """Bytes of the text in UTF-8; the text holds no unpaired surrogates."""
    return len(text) if text.isascii() else len(text.encode("utf-8"))


def in_words(size: int) -> str:
    """``512 bytes`` or ``16.4 kB``."""
    return f"{size} bytes" if size < 1_000 else f"{size / 1_000:.1f}".removesuffix(".0") + " kB"


def head_within(text: str, limit: int) -> str:
    """The longest start of the text within so many bytes: whole lines, or a part of the first when it is longer."""
    if size_of(text) <= limit:
        return text
    head = text.encode("utf-8")[: max(0, limit)]
    at = head.rfind(b"\n")
    return head[:at].decode("utf-8") if at > 0 else head.decode("utf-8", "ignore")


def tail_within(text: str, limit: int) -> str:
    """The longest end of the text within so many bytes: whole lines, or a part of the last when it is longer."""
    if size_of(text) <= limit:
        return text
    encoded = text.encode("utf-8")
    start = max(0, len(encoded) - max(0, limit))
    tail = encoded[start:]
    if encoded[start - 1 : start] == b"\n":
        return tail.decode("utf-8")
    at = tail.rstrip(b"\n").find(b"\n")
    return tail[at + 1 :].decode("utf-8") if at >= 0 else tail.decode("utf-8", "ignore")
