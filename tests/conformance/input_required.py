"""The suite's tools that answer with a request for input (2026-07-28), and the prompt that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cloud_native_mcp.transport.endpoint import RawTool
from tests.conformance.interactive_tools import text_result
from tests.conformance.plain_tools import NO_ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import mcp_types as types
    from mcp.server.context import HandlerResult, ServerRequestContext

    Context = ServerRequestContext[Any, Any]
    Handler = Callable[[Context, types.CallToolRequestParams], Awaitable[HandlerResult]]

Json = dict[str, Any]


def elicitation(message: str, **properties: str) -> Json:
    """A request for a form with those fields (name and JSON type)."""
    schema = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
    }
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}}


def sampling(text: str) -> Json:
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": 100}}


ROOTS: Json = {"method": "roots/list", "params": {}}


def input_required(requests: Mapping[str, Json], state: str | None = None) -> Json:
    """The interim result: what is asked, and the state to be sent back."""
    result: Json = {"resultType": "input_required", "inputRequests": dict(requests)}
    if state is not None:
        result["requestState"] = state
    return result


def _asks(requests: Mapping[str, Json], *, state: str | None = None, done: str) -> Handler:
    async def handler(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
        del ctx
        answers = cast("Mapping[str, object]", params.input_responses or {})
        if not requests.keys() <= answers.keys() or (state is not None and params.request_state != state):
            return input_required(requests, state)
        return text_result(done)

    return handler


async def _rounds(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
    del ctx
    answers = cast("Mapping[str, object]", params.input_responses or {})
    if params.request_state == "round 2" and "step2" in answers:
        return text_result("All rounds are done")
    if params.request_state == "round 1" and "step1" in answers:
        return input_required({"step2": elicitation("Step 2: What is your favorite color?", color="string")}, "round 2")
    return input_required({"step1": elicitation("Step 1: What is your name?", name="string")}, "round 1")


async def _by_capability(ctx: Context, params: types.CallToolRequestParams) -> HandlerResult:
    del params
    offered = ctx.session.client_capabilities
    requests: dict[str, Json] = {}
    if offered is not None and offered.sampling is not None:
        requests["capital"] = sampling("What is the capital of France?")
    if offered is not None and offered.elicitation is not None:
        requests["name"] = elicitation("What is your name?", name="string")
    return input_required(requests) if requests else text_result("The client offers nothing to ask for")


_NAME = {"user_name": elicitation("What is your name?", name="string")}
_CONFIRM = {"confirm": elicitation("Please confirm", ok="boolean")}
_ALL = {**_NAME, "greeting": sampling("Generate a greeting"), "client_roots": ROOTS}
_PREFIX = "test_input_required_result_"

_HANDLERS: dict[str, Handler] = {
    f"{_PREFIX}elicitation": _asks(_NAME, done="Hello!"),
    f"{_PREFIX}sampling": _asks({"capital_question": sampling("What is the capital of France?")}, done="Sampled"),
    f"{_PREFIX}list_roots": _asks({"client_roots": ROOTS}, done="Roots received"),
    f"{_PREFIX}request_state": _asks(_CONFIRM, state="confirming", done="state-ok"),
    f"{_PREFIX}tampered_state": _asks(_CONFIRM, state="confirming", done="state-ok"),
    f"{_PREFIX}multiple_inputs": _asks(_ALL, state="asking", done="All inputs received"),
    f"{_PREFIX}multi_round": _rounds,
    f"{_PREFIX}capabilities": _by_capability,
    "test_streaming_elicitation": _asks(_NAME, done="Hello!"),
}

INPUT_REQUIRED_TOOLS: dict[str, RawTool] = {
    name: RawTool({"name": name, "description": name, "inputSchema": NO_ARGUMENTS}, handler)
    for name, handler in _HANDLERS.items()
}
