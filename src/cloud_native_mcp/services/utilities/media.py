"""What a body is: its media type, whether it is text, and the text itself."""

from __future__ import annotations

import codecs
import re
from email.message import Message
from typing import Final

_TEXT_TYPES: Final = frozenset({
    "application/json", "application/xml", "application/javascript", "application/ecmascript", "application/yaml",
    "application/x-yaml", "application/toml", "application/x-ndjson", "application/jsonlines", "application/graphql",
    "application/sql", "application/x-sh", "application/x-www-form-urlencoded", "application/openmetrics-text",
    "application/xhtml+xml", "application/pgp-signature", "application/pgp-keys", "image/svg+xml",
})  # fmt: skip
_UNKNOWN_TYPES: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_HTML_TYPES: Final = frozenset({"text/html", "application/xhtml+xml"})
_ENCODINGS: Final = re.compile(
    r"utf[-_]?8|utf[-_]?16(?:[-_]?[lb]e)?|us-ascii|ascii|latin-?1|iso[-_]?8859[-_]\d{1,2}|windows-125\d|cp125\d"
    r"|shift[-_]?jis|euc[-_](?:jp|kr)|iso-2022-jp|gb2312|gbk|gb18030|big5|koi8-[ru]|macintosh",
    re.IGNORECASE,
)
_DECLARED: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9_-]{1,30})""", re.IGNORECASE)
_HEAD: Final = 2_048
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def media_type(content_type: str) -> tuple[str, str]:
    """The type in lower case and the charset of a ``Content-Type`` header; empty where it has none."""
    header = Message()
    header["Content-Type"] = content_type[:200].replace("\r", " ").replace("\n", " ")
    kind = content_type.partition(";")[0].strip().lower()
    charset = header.get_param("charset", "")
    return kind, charset if isinstance(charset, str) else ""


def may_be_text(kind: str) -> bool:
    """Whether a body of that type is worth reading."""
    return kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml")) or kind in _UNKNOWN_TYPES


def is_html(kind: str, body: bytes) -> bool:
    """Whether the body is a web page; without a type, by how it begins."""
    if kind in _UNKNOWN_TYPES:
        return body[:_HEAD].lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))
    return kind in _HTML_TYPES


def is_binary(body: bytes) -> bool:
    """Whether a body looks like no text: it holds NUL bytes and no mark of UTF-16."""
    return b"\x00" in body[:_HEAD] and not body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def text_of(body: bytes, charset: str) -> str:
    """The body as text: by its byte order mark, its header, its own declaration, else UTF-8; odd bytes are replaced."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    declared = _DECLARED.search(body[:_HEAD])
    for name in (charset.strip("\"' "), declared[1].decode("ascii") if declared else ""):
        if _ENCODINGS.fullmatch(name) is not None:
            try:
                return body.decode(name, "replace")
            except LookupError:
                continue
    return body.decode("utf-8", "replace")
