"""The record of one call, and its line in the audit.

A line is one JSON object in ASCII: every other character is escaped, so a line cannot be broken or forged from inside.
Fields without a value are left out. ``docs/audit.md`` describes each field.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

import msgspec
import orjson

from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.response.objects import is_secret_name, mask_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Digest = Callable[[bytes], str]

MAX_FIELD: Final = 256
HEAD: Final = 80
"""Characters shown of an argument that is cut."""

CONTENT: Final = frozenset({"stdin", "body"})
"""Arguments that are handed on to a program as they are: kept by size and digest alone."""

_HOLDS_SECRET: Final = re.compile(r"""kind\\?["']?\s*:\s*\\?["']?Secret""")


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one call.

    Attributes:
        phase: ``begin`` (before a write acts) or ``end``.
        arguments: as the caller sent them; redacted when the line is written.
        outcome: ``ok``, ``failed``, ``refused`` or ``cancelled``; empty at the beginning.
        stage: where the call was refused or failed.
        sample: which part of such calls is recorded.
        size: bytes of the answer.
        at: seconds since the epoch.
    """

    phase: str
    request_id: str = ""
    parent_id: str = ""
    principal: str = ""
    method: str = ""
    groups: tuple[str, ...] = ()
    door: str = ""
    peer: str = ""
    protocol: str = ""
    traceparent: str = ""
    endpoint: str = ""
    tool: str = ""
    service: str = ""
    effect: str = ""
    targets: tuple[str, ...] = ()
    arguments: Mapping[str, object] = {}
    outcome: str = ""
    code: str = ""
    stage: str = ""
    sample: float = 1.0
    size: int = 0
    seconds: float = 0.0
    at: float = msgspec.field(default_factory=time.time)


def line_of(record: AuditRecord, *, digest: Digest, max_argument_bytes: int) -> bytes:
    """The record as one line, with its newline.

    Args:
        digest: short keyed digest; shown of all arguments together and of each that is cut or secret.
        max_argument_bytes: longer arguments are cut.
    """
    shown: dict[str, object] = {"time": _timestamp(record.at), "phase": record.phase}
    for name, value in (
        ("request", record.request_id),
        ("parent", record.parent_id),
        ("principal", record.principal),
        ("method", record.method),
        ("door", record.door),
        ("peer", record.peer),
        ("protocol", record.protocol),
        ("trace", record.traceparent),
        ("endpoint", record.endpoint),
        ("tool", record.tool),
        ("service", record.service),
        ("effect", record.effect),
        ("outcome", record.outcome),
        ("code", record.code),
        ("stage", record.stage),
    ):
        if value:
            shown[name] = value if len(value) <= MAX_FIELD else value[:MAX_FIELD] + "…"
    if record.groups:
        shown["groups"] = record.groups
    if record.targets:
        shown["targets"] = record.targets
    if record.arguments:
        shown["arguments"], shown["arguments_sha"] = _arguments(record.arguments, digest, max_argument_bytes)
    if record.phase == "end":
        shown["bytes"] = record.size
        shown["ms"] = round(record.seconds * 1_000, 3)
        if record.sample < 1.0:
            shown["sample"] = record.sample
    return _ascii_line(shown)


def _timestamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ascii_line(shown: Mapping[str, object]) -> bytes:
    try:
        line = orjson.dumps(shown)
    except orjson.JSONEncodeError:
        line = b"\xff"
    if not line.isascii() or b"\x7f" in line:
        line = json.dumps(_sound(shown), ensure_ascii=True, separators=(",", ":"), default=str).encode("ascii")
        line = line.replace(b"\x7f", b"\\u007f")
    return line + b"\n"


def _sound(value: object) -> object:
    """The value with halves of surrogate pairs spelled out: alone they are no JSON that every reader takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_sound(name): _sound(inner) for name, inner in cast("dict[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_sound(inner) for inner in cast("Sequence[object]", value)]
    return value


def _arguments(arguments: Mapping[str, object], digest: Digest, most: int) -> tuple[Mapping[str, object], str]:
    """The arguments as they may be kept, and the digest of what they were."""
    raw = _canonical(arguments)
    if len(raw) <= most and raw.isascii() and b"\\n" not in raw:
        text = raw.decode("ascii")
        if scrub(text) is text and not any(map(_withheld, arguments)) and not _HOLDS_SECRET.search(text):
            return arguments, digest(raw)
    return {_short(name): _argument(name, value, digest, most) for name, value in arguments.items()}, digest(raw)


def _canonical(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    except orjson.JSONEncodeError:
        return json.dumps(value, sort_keys=True, ensure_ascii=True, default=str).encode("ascii")


def _argument(name: str, value: object, digest: Digest, most: int) -> object:
    if isinstance(value, bool) or value is None:
        return value
    if _withheld(name):
        return _digested(_canonical(value), digest)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        if _HOLDS_SECRET.search(value):
            return _digested(value.encode("utf-8", "surrogatepass"), digest)
        return _text(value, digest, most)
    masked = mask_object(value, digest)
    raw = _canonical(masked)
    if len(raw) <= most and scrub(text := raw.decode("utf-8")) is text:
        return masked
    return _text(raw.decode("utf-8"), digest, most)


def _withheld(name: str) -> bool:
    return name in CONTENT or is_secret_name(name)


def _text(value: str, digest: Digest, most: int) -> str:
    """Short text of one line as it is; anything longer, or of several lines, by its start, length and digest."""
    raw = value.encode("utf-8", "backslashreplace")
    if len(raw) <= most and b"\n" not in raw:
        return scrub(raw.decode("utf-8"))
    first_line = raw[:most].partition(b"\n")[0].decode("utf-8", "ignore")
    return f"{scrub(first_line)[:HEAD]}… {_digested(raw, digest)}"


def _digested(raw: bytes, digest: Digest) -> str:
    return f"<{len(raw)} bytes, sha {digest(raw)}>"


def _short(name: str) -> str:
    return name if len(name) <= MAX_FIELD else name[:MAX_FIELD] + "…"
