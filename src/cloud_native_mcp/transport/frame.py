"""One posted message: media types, JSON and JSON-RPC envelope, checked alike for every way a message can go on.

The protocol library checks much of this too, but differently for its two eras; here both get the statuses and codes of
the 2026-07-28 specification (https://modelcontextprotocol.io/specification).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    unsupported_protocol_version_rejection,
)
from mcp_types import DEFAULT_NEGOTIATED_VERSION, HEADER_MISMATCH, INVALID_REQUEST, PARSE_ERROR
from mcp_types import PROTOCOL_VERSION_META_KEY as VERSION_KEY
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, KNOWN_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from cloud_native_mcp.transport.bounded_json import BadJson, decode
from cloud_native_mcp.transport.refusal import Refused, RequestId

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["request", "notification", "response"]

VERSION: Final = MCP_PROTOCOL_VERSION_HEADER.encode()
METHOD: Final = MCP_METHOD_HEADER.encode()
NAME: Final = MCP_NAME_HEADER.encode()
SESSION: Final = b"mcp-session-id"
_ROUTING: Final = frozenset({VERSION, METHOD, NAME})
_BOTH_MEDIA: Final = frozenset({b"application/json, text/event-stream", b"application/json,text/event-stream"})
_LARGEST_ID: Final = 2**63 - 1
"""No JSON writer here has larger whole numbers, and a request must be answered with its own id."""
LEGACY: Final = frozenset(HANDSHAKE_PROTOCOL_VERSIONS)
MODERN: Final = frozenset(MODERN_PROTOCOL_VERSIONS)

Fields = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Frame:
    """A well-formed JSON-RPC message. ``version`` is the header's, or what its absence means."""

    kind: Kind
    request_id: RequestId | None
    method: str
    params: dict[str, object] | None
    version: str


def routing_fields(headers: Iterable[tuple[bytes, bytes]]) -> Fields:
    """Header fields by name.

    Raises:
        Refused: a field that decides where the message goes is given twice: readers of either copy would disagree.
    """
    fields: Fields = {}
    for name, value in headers:
        if name in fields and name in _ROUTING:
            raise Refused(400, HEADER_MISMATCH, f"{name.decode()} header appears more than once")
        fields[name] = value
    return fields


def check_content_type(fields: Fields) -> None:
    """Raises `Refused` (415) unless the body is declared to be JSON."""
    declared = fields.get(b"content-type", b"")
    if declared != b"application/json" and declared.partition(b";")[0].strip().lower() != b"application/json":
        raise Refused(415, INVALID_REQUEST, "Unsupported Media Type: Content-Type must be application/json")


def check_accept(fields: Fields) -> None:
    """Raises `Refused` (406) unless the client takes both kinds of answer."""
    accept = fields.get(b"accept", b"")
    if accept in _BOTH_MEDIA:
        return
    kinds = {part.partition(b";")[0].strip().lower() for part in accept.split(b",")}
    takes_json = not kinds.isdisjoint((b"*/*", b"application/*", b"application/json"))
    takes_stream = not kinds.isdisjoint((b"*/*", b"text/*", b"text/event-stream"))
    if not (takes_json and takes_stream):
        raise Refused(406, INVALID_REQUEST, "Not Acceptable: accept both application/json and text/event-stream")


def read_frame(raw: bytes, fields: Fields) -> Frame:
    """The message in a body.

    Raises:
        Refused: 400 with -32700 (not JSON), -32600 (not one JSON-RPC message), -32020 or -32022 (version).
    """
    header = fields.get(VERSION)
    frame = read_message(raw, DEFAULT_NEGOTIATED_VERSION if header is None else header.decode("latin-1"))
    _check_version(frame)
    return frame


def read_message(raw: bytes, version: str) -> Frame:
    """The message in a body that belongs to a connection whose version is settled elsewhere.

    Raises:
        Refused: 400 with -32700 (not JSON) or -32600 (not one JSON-RPC message).
    """
    try:
        message = decode(raw)
    except BadJson as error:
        raise Refused(400, PARSE_ERROR, str(error)) from None
    if not isinstance(message, dict):
        raise Refused(400, INVALID_REQUEST, "Body must be one JSON-RPC message; batches are not supported")
    return _envelope(cast("dict[str, object]", message), version)


def _envelope(message: dict[str, object], version: str) -> Frame:
    request_id = message.get("id")
    has_id = isinstance(request_id, int | str) and not isinstance(request_id, bool)
    if "id" in message and not has_id:
        raise Refused(400, INVALID_REQUEST, "id must be a string or an integer")
    if isinstance(request_id, int) and abs(request_id) > _LARGEST_ID:
        raise Refused(400, INVALID_REQUEST, "id must be a string or an integer of at most 64 bits")
    known_id = cast("RequestId", request_id) if has_id else None
    if message.get("jsonrpc") != "2.0":
        raise Refused(400, INVALID_REQUEST, 'jsonrpc must be "2.0"', request_id=known_id)
    method, params = message.get("method"), message.get("params")
    if isinstance(method, str):
        if params is not None and not isinstance(params, dict):
            raise Refused(400, INVALID_REQUEST, "params must be an object", request_id=known_id)
        kind: Kind = "request" if has_id else "notification"
        return Frame(kind, known_id, method, cast("dict[str, object] | None", params), version)
    if "method" in message or not has_id or ("result" in message) == ("error" in message) or version in MODERN:
        raise Refused(400, INVALID_REQUEST, "method must be a string", request_id=known_id)
    return Frame("response", known_id, "", None, version)


def _check_version(frame: Frame) -> None:
    """Refuses a version nobody speaks, and an envelope of a newer era than the header tells."""
    enveloped = _envelope_version(frame)
    if frame.version in LEGACY and enveloped is not None and frame.method != "initialize":
        text = f"{MCP_PROTOCOL_VERSION_HEADER} header does not match the request envelope's protocol version"
        raise Refused(400, HEADER_MISMATCH, text, request_id=frame.request_id)
    if frame.version not in KNOWN_PROTOCOL_VERSIONS and enveloped is None:
        rejection = unsupported_protocol_version_rejection(frame.version)
        if rejection is not None:
            raise Refused(400, rejection.code, rejection.message, request_id=frame.request_id, data=rejection.data)


def _envelope_version(frame: Frame) -> object:
    meta = frame.params.get("_meta") if frame.params else None
    return cast("dict[str, object]", meta).get(VERSION_KEY) if isinstance(meta, dict) else None
