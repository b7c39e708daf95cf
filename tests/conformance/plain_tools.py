"""The suite's tools that need nothing but an answer: they stand behind the tool door, as all real tools do.

Names, texts and schemas are the suite's own (`@modelcontextprotocol/conformance`, the requirements in its scenarios).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.request import AGGREGATE, CallAnswer, ToolList

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.routing.request import CallRequest

Block = dict[str, Any]

PIXEL_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SILENT_WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
NO_ARGUMENTS: Block = {"type": "object", "properties": {}, "additionalProperties": False}

_TEXT: Block = {"type": "text", "text": "This is a simple text response for testing."}
_IMAGE: Block = {"type": "image", "data": PIXEL_PNG, "mimeType": "image/png"}
_AUDIO: Block = {"type": "audio", "data": SILENT_WAV, "mimeType": "audio/wav"}


def _embedded(uri: str, mime_type: str, text: str) -> Block:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": text}}


ANSWERS: dict[str, CallAnswer] = {
    "test_simple_text": CallAnswer([_TEXT]),
    "test_image_content": CallAnswer([_IMAGE]),
    "test_audio_content": CallAnswer([_AUDIO]),
    "test_embedded_resource": CallAnswer(
        [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]
    ),
    "test_multiple_content_types": CallAnswer(
        [
            {"type": "text", "text": "Multiple content types test:"},
            _IMAGE,
            _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
        ]
    ),
    "test_error_handling": CallAnswer(
        [{"type": "text", "text": "This tool intentionally returns an error for testing"}], is_error=True
    ),
    "test_tool_with_progress": CallAnswer([{"type": "text", "text": "done"}]),
    "json_schema_2020_12_tool": CallAnswer([{"type": "text", "text": "valid"}]),
    "test_x_mcp_header": CallAnswer([{"type": "text", "text": "headers agree"}]),
}

_SCHEMAS: dict[str, Block] = {
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
    "test_x_mcp_header": {
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "priority": {"type": "integer", "x-mcp-header": "Priority"},
            "verbose": {"type": "boolean", "x-mcp-header": "Verbose"},
        },
    },
}


class ConformanceDoor:
    """Implements `ToolDoor` for the aggregate endpoint."""

    @property
    def endpoints(self) -> Sequence[str]:
        return (AGGREGATE,)

    def list_tools(self, endpoint: str, principal: Principal) -> ToolList:
        del endpoint, principal
        tools = [{"name": name, "description": name, "inputSchema": self._schema(name)} for name in ANSWERS]
        return ToolList(digest="conformance", tools=tools)

    def input_schema(self, endpoint: str, name: str) -> Mapping[str, object] | None:
        del endpoint
        return self._schema(name) if name in ANSWERS else None

    @staticmethod
    def _schema(name: str) -> Block:
        return _SCHEMAS.get(name, NO_ARGUMENTS)

    def may_ask(self, endpoint: str, name: str) -> bool:
        del endpoint, name
        return False

    async def call(self, request: CallRequest) -> CallAnswer:
        if request.tool not in ANSWERS:
            raise ToolError("unknown_tool", request.tool)
        if request.tool == "test_tool_with_progress":
            for done in (0, 50, 100):
                await request.progress(done, 100, f"step {done} of 100")
                await asyncio.sleep(0.05)
        return ANSWERS[request.tool]
