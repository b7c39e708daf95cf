"""Which messages the fast path may take: only those whose every part it knows to be valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import orjson
from mcp.shared.inbound import MCP_PARAM_HEADER_PREFIX, X_MCP_HEADER_KEY, decode_header_value
from mcp_types import CLIENT_CAPABILITIES_META_KEY as CAPABILITIES
from mcp_types import CLIENT_INFO_META_KEY as CLIENT_INFO
from mcp_types import PROTOCOL_VERSION_META_KEY as PROTOCOL_VERSION
from mcp_types.methods import validate_client_request
from pydantic import ValidationError

from cloud_native_mcp.transport.consent import offers_forms
from cloud_native_mcp.transport.frame import LEGACY, METHOD, MODERN, NAME, Fields, Frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.transport.endpoint import Endpoint
    from cloud_native_mcp.transport.refusal import RequestId

LIST: Final = "tools/list"
CALL: Final = "tools/call"
_MAX_KNOWN_CLIENTS: Final = 512
_MAX_REMEMBERED_BYTES: Final = 4_096
"""Longer descriptions of a client are checked each time, so that what is remembered stays small."""
_LIST_PARAMS: Final = frozenset({"_meta"})
_CALL_PARAMS: Final = frozenset({"_meta", "name", "arguments"})
_LEGACY_META: Final = frozenset({"progressToken", "traceparent", "tracestate"})
_MODERN_META: Final = _LEGACY_META | {PROTOCOL_VERSION, CAPABILITIES, CLIENT_INFO}
_PARAM_PREFIX: Final = MCP_PARAM_HEADER_PREFIX.lower().encode()


class Hot(NamedTuple):
    """A message the fast path takes. ``tool`` is empty for a list."""

    request_id: RequestId
    version: str
    modern: bool
    tool: str
    arguments: dict[str, object]
    meta: Mapping[str, object]


class Matcher:
    """Recognises hot messages of one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._known_clients: set[bytes] = set()
        self._plain: dict[str, tuple[Mapping[str, object], bool]] = {}

    def match(self, frame: Frame, fields: Fields) -> Hot | None:
        """The hot message in a frame, or None when the protocol library has to decide."""
        is_call = frame.method == CALL
        if frame.request_id is None or not (is_call or frame.method == LIST):
            return None
        params = frame.params or {}
        if not params.keys() <= (_CALL_PARAMS if is_call else _LIST_PARAMS):
            return None
        meta = params.get("_meta", {})
        if not isinstance(meta, dict):
            return None
        meta = cast("dict[str, object]", meta)
        name = self._tool_name(params) if is_call else ""
        if name is None or not self._serves(name):
            return None
        modern = frame.version in MODERN
        if modern and name and self._may_ask(name, meta):
            return None
        if not (self._modern_agrees(frame, fields, meta, name) if modern else self._legacy_agrees(frame, meta)):
            return None
        arguments = cast("dict[str, object]", params.get("arguments", {}))
        return Hot(frame.request_id, frame.version, modern, name, arguments, meta)

    def _tool_name(self, params: dict[str, object]) -> str | None:
        name = params.get("name")
        return name if isinstance(name, str) and isinstance(params.get("arguments", {}), dict) else None

    def _serves(self, name: str) -> bool:
        if self._endpoint.raw.tools:
            return bool(name) and name not in self._endpoint.raw.tools and self._is_plain(name)
        return not name or self._is_plain(name)

    def _is_plain(self, name: str) -> bool:
        """Whether the tool exists and none of its arguments is mirrored in a header."""
        schema = self._endpoint.input_schema(name)
        if schema is None:
            return False
        known = self._plain.get(name)
        if known is None or known[0] is not schema:
            known = self._plain[name] = (schema, X_MCP_HEADER_KEY.encode() not in orjson.dumps(schema))
        return known[1]

    def _may_ask(self, name: str, meta: dict[str, object]) -> bool:
        """Whether the answer may be a question to the person at the client."""
        return offers_forms(meta.get(CAPABILITIES)) and self._endpoint.may_ask(name)

    def _legacy_agrees(self, frame: Frame, meta: dict[str, object]) -> bool:
        """Sessions stay with the library: who owns one and how long it is idle is known there."""
        return (
            self._endpoint.stateless
            and frame.version in LEGACY
            and meta.keys() <= _LEGACY_META
            and _is_token(meta.get("progressToken", 0))
        )

    def _modern_agrees(self, frame: Frame, fields: Fields, meta: dict[str, object], name: str) -> bool:
        if meta.get(PROTOCOL_VERSION) != frame.version or not meta.keys() <= _MODERN_META:
            return False
        if fields.get(METHOD) != frame.method.encode():
            return False
        if name and not _names(fields.get(NAME), name):
            return False
        if _PARAM_PREFIX in b" ".join(fields):
            return False
        return _is_token(meta.get("progressToken", 0)) and self._knows_client(frame.version, meta)

    def _knows_client(self, version: str, meta: dict[str, object]) -> bool:
        """Whether the client's description is valid; the library checks each one once."""
        described = [version, meta.get(CAPABILITIES), CLIENT_INFO in meta, meta.get(CLIENT_INFO)]
        try:
            key = orjson.dumps(described)
        except TypeError:  # a number beyond 64 bits
            return False
        if key in self._known_clients:
            return True
        checked = {part: meta[part] for part in (PROTOCOL_VERSION, CAPABILITIES, CLIENT_INFO) if part in meta}
        try:
            validate_client_request(LIST, version, {"_meta": checked})
        except ValidationError:
            return False
        if len(key) <= _MAX_REMEMBERED_BYTES:
            if len(self._known_clients) >= _MAX_KNOWN_CLIENTS:
                self._known_clients.clear()
            self._known_clients.add(key)
        return True


def _is_token(token: object) -> bool:
    return isinstance(token, int | str) and not isinstance(token, bool)


def _names(header: bytes | None, name: str) -> bool:
    """Whether the header names the tool, also in its base64 form."""
    return header is not None and decode_header_value(header.decode("latin-1")) == name
