"""What is shown of an application's answer: chosen headers, its body as text or shortened JSON, or the body's type."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

import msgspec

from cloud_native_mcp.contract.result import Document, Text
from cloud_native_mcp.services.kubernetes.execution.output import fit
from cloud_native_mcp.services.kubernetes.logs.credentials import LineMask

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Block
    from cloud_native_mcp.services.kubernetes.connecting.proxied import Reply

ROOM: Final = 30_000
"""Bytes of a body in one answer of 32 kB."""
_WHOLE_JSON: Final = 8_000
"""Up to which JSON is shown as it is."""
_SHOWN_HEADERS: Final = ("content-type", "content-length", "location", "retry-after", "server", "cache-control", "etag")
_LEVELS: Final = ((20, 500), (10, 200), (5, 100), (2, 60))
"""Items of a list and characters of a text that are kept, step by step until it fits."""
_DEPTH: Final = 12


def status_line(reply: Reply) -> str:
    """``200 OK``, with the word of the standard."""
    try:
        return f"{reply.status} {HTTPStatus(reply.status).phrase}"
    except ValueError:
        return str(reply.status)


def reply_blocks(reply: Reply, *, source: str) -> list[Block]:
    """The headers a caller may need, and the body."""
    told = [f"{name}: {reply.headers[name]}" for name in _SHOWN_HEADERS if name in reply.headers]
    blocks: list[Block] = [Text("\n".join(told), untrusted=True, source=source)] if told else []
    if reply.body:
        blocks.append(_body(reply, source))
    return blocks


def _body(reply: Reply, source: str) -> Block:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    size = f"{len(reply.body):,} bytes{' and more' if reply.cut else ''}"
    try:
        text = reply.body.decode()
    except UnicodeDecodeError as error:
        if not (reply.cut and error.start > len(reply.body) - 4):  # a character that the cut went through
            return Text(f"binary, {kind or 'no type'}, {size}")
        text = reply.body[: error.start].decode()
    if "\x00" in text:
        return Text(f"binary, {kind or 'no type'}, {size}")
    value = None if reply.cut or len(text) <= _WHOLE_JSON else _json(text)
    if value is not None:
        return Document(_shortened(value), "json", title=f"body ({size}, shortened):", untrusted=True, source=source)
    masked = "\n".join(LineMask().lines(text))
    shown = fit(masked, ROOM)
    title = f"body ({size}{'' if shown == masked and not reply.cut else ', cut'}):"
    return Text(shown, title=title, untrusted=True, source=source)


def _json(text: str) -> object:
    """The value of a JSON object or list; None for anything else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return cast("object", msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        return None


def _shortened(value: object) -> object:
    """The value with long lists and texts cut until it fits; what is left out is counted."""
    short = value
    for items, characters in _LEVELS:
        short = _cut(value, items, characters, 0)
        if len(msgspec.json.encode(short)) <= ROOM // 2:
            break
    return short


def _cut(value: object, items: int, characters: int, depth: int) -> object:
    if isinstance(value, str):
        left = len(value) - characters
        return value if left <= 0 else f"{value[:characters]}… {left} more characters"
    if depth >= _DEPTH and isinstance(value, dict | list):
        return f"… {len(cast('list[object]', value))} more"
    if isinstance(value, dict):
        fields = list(cast("dict[str, object]", value).items())
        kept: dict[str, object] = {k: _cut(v, items, characters, depth + 1) for k, v in fields[: 5 * items]}
        return kept | ({"…": f"{len(fields) - len(kept)} more fields"} if len(fields) > len(kept) else {})
    if isinstance(value, list):
        rows = cast("list[object]", value)
        shown = [_cut(one, items, characters, depth + 1) for one in rows[:items]]
        return [*shown, f"… {len(rows) - items} more"] if len(rows) > items else shown
    return value
