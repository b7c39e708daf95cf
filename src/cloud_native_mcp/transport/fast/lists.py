"""Encoded lists of tools, made once for each list and protocol version."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import orjson
from mcp_types import SERVER_INFO_META_KEY
from mcp_types.methods import serialize_server_result

from cloud_native_mcp.transport.endpoint import LIST_SCOPE, LIST_TTL_MS
from cloud_native_mcp.transport.fast.match import LIST
from cloud_native_mcp.transport.frame import MODERN

if TYPE_CHECKING:
    from cloud_native_mcp.routing.request import ToolList

_MOST: Final = 64


class EncodedLists:
    """The newest results of ``tools/list`` as JSON text, each with the brace that ends the message around it."""

    def __init__(self, server_info: dict[str, object]) -> None:
        self._server_info = server_info
        self._encoded: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def encoded(self, tools: ToolList, version: str) -> bytes:
        """The result for that list in the shape of that protocol version, and the end of its message."""
        key = (tools.digest, version)
        text = self._encoded.get(key)
        if text is None:
            text = self._encoded[key] = self._encode(tools, version)
            if len(self._encoded) > _MOST:
                self._encoded.popitem(last=False)
        else:
            self._encoded.move_to_end(key)
        return text

    def _encode(self, tools: ToolList, version: str) -> bytes:
        result: dict[str, object] = {
            "tools": list(tools.tools),
            "resultType": "complete",
            "ttlMs": LIST_TTL_MS,
            "cacheScope": LIST_SCOPE,
        }
        shaped = serialize_server_result(LIST, version, result)
        if version in MODERN:
            shaped["_meta"] = {SERVER_INFO_META_KEY: self._server_info}
        return orjson.dumps(shaped) + b"}"
