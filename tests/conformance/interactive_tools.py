"""The suite's tools that speak with the client while they run: they are protocol handlers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.subscriptions import PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import MISSING_REQUIRED_CLIENT_CAPABILITY
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from cloud_native_mcp.transport.endpoint import RawTool
from tests.conformance.plain_tools import NO_ARGUMENTS

if TYPE_CHECKING:
    from mcp.server.context import HandlerResult, ServerRequestContext
    from mcp.server.subscriptions import SubscriptionBus

    Context = ServerRequestContext[Any, Any]

Json = dict[str, Any]


def text_result(text: str) -> Json:
    return {"content": [{"type": "text", "text": text}], "resultType": "complete"}


async def _log(ctx: Context, text: str) -> None:
    """A log message, which clients of the newer era must ask for."""
    opted_in = "io.modelcontextprotocol/logLevel" in ((ctx.params or {}).get("_meta") or {})
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS or opted_in:
        params = types.LoggingMessageNotificationParams(level="info", data=text)
        await ctx.session.send_notification(types.LoggingMessageNotification(params=params), ctx.request_id)


async def _with_logging(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
    del params
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await _log(ctx, text)
        await asyncio.sleep(0.05)
    return text_result("Tool with logging executed successfully")


async def _sampling(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
    prompt = str((params.arguments or {}).get("prompt", ""))
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=prompt))
    request = types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=100))
    metadata = ServerMessageMetadata(related_request_id=ctx.request_id)
    result = await ctx.session.send_request(request, types.CreateMessageResult, metadata=metadata)
    return text_result(f"LLM response: {getattr(result.content, 'text', '')}")


def _eliciting(message: str, properties: Json, *, required: list[str], prefix: str) -> RawTool:
    async def elicit(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
        asked = str((params.arguments or {}).get("message", message))
        schema = {"type": "object", "properties": properties, "required": required}
        request = types.ElicitRequest(params=types.ElicitRequestFormParams(message=asked, requested_schema=schema))
        metadata = ServerMessageMetadata(related_request_id=ctx.request_id)
        result = await ctx.session.send_request(request, types.ElicitResult, metadata=metadata)
        return text_result(f"{prefix}: action={result.action}, content={result.content or {}}")

    return RawTool(_listed("", message={"type": "string"}), elicit)


async def _reconnection(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
    del params
    await _log(ctx, "Before disconnect")
    if ctx.close_sse_stream is not None:
        await ctx.close_sse_stream()
    await asyncio.sleep(0.2)  # the client comes back meanwhile
    await _log(ctx, "After reconnect")
    return text_result("Reconnection test completed")


async def _missing_capability(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
    del params
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        data: Json = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "the client does not offer sampling", data)
    return text_result("sampling is there")


def _listed(name: str, **properties: object) -> Json:
    schema = {"type": "object", "properties": properties} if properties else NO_ARGUMENTS
    return {"name": name, "description": name, "inputSchema": schema}


_DEFAULTS: Json = {
    "name": {"type": "string", "description": "User name", "default": "John Doe"},
    "age": {"type": "integer", "description": "User age", "default": 30},
    "score": {"type": "number", "description": "User score", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "description": "Verification status", "default": True},
}
_TITLED = [{"const": f"value{number}", "title": f"Option {number}"} for number in (1, 2, 3)]
_ENUMS: Json = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
    "titledSingle": {"type": "string", "oneOf": _TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
    "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
}


def interactive_tools(bus: SubscriptionBus) -> dict[str, RawTool]:
    """The tools by name; changes they trigger are announced on the bus."""

    async def change_tools(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
        del ctx, params
        await bus.publish(ToolsListChanged())
        return text_result("tools changed")

    async def change_prompts(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
        del ctx, params
        await bus.publish(PromptsListChanged())
        return text_result("prompts changed")

    response = {"response": {"type": "string", "description": "User's response"}}
    tools = {
        "test_tool_with_logging": RawTool(_listed(""), _with_logging),
        "test_logging_tool": RawTool(_listed(""), _with_logging),
        "test_sampling": RawTool(_listed("", prompt={"type": "string"}), _sampling),
        "test_elicitation": _eliciting("", response, required=["response"], prefix="User response"),
        "test_elicitation_sep1034_defaults": _eliciting(
            "Please review and update the form fields with defaults", _DEFAULTS, required=[], prefix="Completed"
        ),
        "test_elicitation_sep1330_enums": _eliciting(
            "Please select options from the enum fields", _ENUMS, required=[], prefix="Completed"
        ),
        "test_reconnection": RawTool(_listed(""), _reconnection),
        "test_missing_capability": RawTool(_listed(""), _missing_capability),
        "test_trigger_tool_change": RawTool(_listed(""), change_tools),
        "test_trigger_prompt_change": RawTool(_listed(""), change_prompts),
    }
    return {name: _named(name, tool) for name, tool in tools.items()}


def _named(name: str, tool: RawTool) -> RawTool:
    return RawTool({**tool.listed, "name": name, "description": name}, tool.handler)
