"""The suite's resources, prompts, completion and logging level."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from tests.conformance.input_required import elicitation, input_required
from tests.conformance.plain_tools import PIXEL_PNG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.context import HandlerResult, ServerRequestContext
    from pydantic import BaseModel

    from cloud_native_mcp.transport.endpoint import RawHandler

    Context = ServerRequestContext[Any, Any]

Json = dict[str, Any]

_RESOURCES: list[Json] = [
    {"uri": "test://static-text", "name": "static-text", "mimeType": "text/plain"},
    {"uri": "test://static-binary", "name": "static-binary", "mimeType": "image/png"},
    {"uri": "test://watched-resource", "name": "watched-resource", "mimeType": "text/plain"},
]
_CONTENTS: dict[str, Json] = {
    "test://static-text": {"text": "This is the content of the static text resource."},
    "test://static-binary": {"blob": PIXEL_PNG},
    "test://watched-resource": {"text": "Watched resource content"},
}
_TEMPLATE = {"uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json"}


def _prompt(name: str, *arguments: str) -> Json:
    listed = [{"name": argument, "description": argument, "required": True} for argument in arguments]
    return {"name": name, "description": name, **({"arguments": listed} if listed else {})}


_PROMPTS: list[Json] = [
    _prompt("test_simple_prompt"),
    _prompt("test_prompt_with_arguments", "arg1", "arg2"),
    _prompt("test_prompt_with_embedded_resource", "resourceUri"),
    _prompt("test_prompt_with_image"),
    _prompt("test_input_required_result_prompt"),
]


async def _list_resources(ctx: Context, params: types.PaginatedRequestParams) -> HandlerResult:
    del ctx, params
    return {"resources": _RESOURCES, "resultType": "complete"}


async def _list_templates(ctx: Context, params: types.PaginatedRequestParams) -> HandlerResult:
    del ctx, params
    return {"resourceTemplates": [_TEMPLATE], "resultType": "complete"}


async def _read(ctx: Context, params: types.ReadResourceRequestParams) -> HandlerResult:
    del ctx
    uri = params.uri
    mime_types = {resource["uri"]: resource["mimeType"] for resource in _RESOURCES}
    if uri in _CONTENTS:
        return {"contents": [{"uri": uri, "mimeType": mime_types[uri], **_CONTENTS[uri]}], "resultType": "complete"}
    if match := re.fullmatch(r"test://template/([^/]+)/data", uri):
        text = json.dumps({"id": match[1], "templateTest": True, "data": f"Data for ID: {match[1]}"})
        content = {"uri": uri, "mimeType": "application/json", "text": text}
        return {"contents": [content], "resultType": "complete"}
    raise MCPError(INVALID_PARAMS, "Resource not found", {"uri": uri})


async def _acknowledge(ctx: Context, params: BaseModel) -> HandlerResult:
    del ctx, params
    return {}


async def _list_prompts(ctx: Context, params: types.PaginatedRequestParams) -> HandlerResult:
    del ctx, params
    return {"prompts": _PROMPTS, "resultType": "complete"}


def _text(text: str) -> Json:
    return {"role": "user", "content": {"type": "text", "text": text}}


def _messages(name: str, arguments: Mapping[str, str]) -> list[Json]:
    if name == "test_simple_prompt":
        return [_text("This is a simple prompt for testing.")]
    if name == "test_prompt_with_arguments":
        return [_text(f"Prompt with arguments: arg1='{arguments['arg1']}', arg2='{arguments['arg2']}'")]
    if name == "test_prompt_with_embedded_resource":
        resource = {"uri": arguments["resourceUri"], "mimeType": "text/plain", "text": "Embedded resource content."}
        embedded = {"role": "user", "content": {"type": "resource", "resource": resource}}
        return [embedded, _text("Please process the embedded resource above.")]
    if name == "test_prompt_with_image":
        image = {"role": "user", "content": {"type": "image", "data": PIXEL_PNG, "mimeType": "image/png"}}
        return [image, _text("Please analyze the image above.")]
    raise MCPError(INVALID_PARAMS, "unknown prompt")


async def _get_prompt(ctx: Context, params: types.GetPromptRequestParams) -> HandlerResult:
    del ctx
    if params.name == "test_input_required_result_prompt":
        if "user_context" not in (params.input_responses or {}):
            return input_required({"user_context": elicitation("What context should be used?", context="string")})
        return {"messages": [_text("With the given context.")], "resultType": "complete"}
    return {"messages": _messages(params.name, params.arguments or {}), "resultType": "complete"}


async def _complete(ctx: Context, params: types.CompleteRequestParams) -> HandlerResult:
    del ctx, params
    return {"completion": {"values": ["paris", "park"], "total": 2, "hasMore": False}, "resultType": "complete"}


CONTENT: dict[str, tuple[type[BaseModel], RawHandler]] = {
    "resources/list": (types.PaginatedRequestParams, _list_resources),
    "resources/templates/list": (types.PaginatedRequestParams, _list_templates),
    "resources/read": (types.ReadResourceRequestParams, _read),
    "resources/subscribe": (types.SubscribeRequestParams, _acknowledge),
    "resources/unsubscribe": (types.UnsubscribeRequestParams, _acknowledge),
    "prompts/list": (types.PaginatedRequestParams, _list_prompts),
    "prompts/get": (types.GetPromptRequestParams, _get_prompt),
    "completion/complete": (types.CompleteRequestParams, _complete),
    "logging/setLevel": (types.SetLevelRequestParams, _acknowledge),
}
