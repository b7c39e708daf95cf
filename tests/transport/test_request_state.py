"""The state of a call that asks the client for more: any node opens it, and only for the caller it was made for."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.transport.endpoint import RawHandlers, RawTool
from tests.transport.serving import Running, serving
from tests.transport.wire import Answer, envelope, post, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp.server.context import HandlerResult, ServerRequestContext
    from starlette.types import ASGIApp, Receive, Scope, Send

OLD_KEY, NEW_KEY, OTHER_KEY = (name * 32 for name in (b"o", b"n", b"x"))


async def _ask(ctx: ServerRequestContext[Any, Any], params: Any) -> HandlerResult:
    """Asks once, then tells what it had noted."""
    del ctx
    if params.request_state is None:
        schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
        asked = {"method": "elicitation/create", "params": {"message": "Go on?", "requestedSchema": schema}}
        return {"resultType": "input_required", "inputRequests": {"go": asked}, "requestState": "noted"}
    return {"content": [{"type": "text", "text": params.request_state}], "resultType": "complete"}


RAW = {
    "alpha": RawHandlers(tools={"alpha_ask": RawTool({"name": "alpha_ask", "inputSchema": {"type": "object"}}, _ask)})
}


def _by_header(app: ASGIApp) -> ASGIApp:
    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(b"x-caller", b"ann").decode()
        scope["state"]["principal"] = Principal(id=name, method="api_key")
        await app(scope, receive, send)

    return middleware


@pytest.fixture(scope="module")
def nodes() -> Iterator[dict[str, Running]]:
    """Nodes by the keys they hold; the first key seals."""
    keys = {"old": [OLD_KEY], "rotating": [NEW_KEY, OLD_KEY], "new": [NEW_KEY], "other": [OTHER_KEY]}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serving(raw=RAW, wrap=[_by_header], state_keys=held))
            for name, held in keys.items()
        }


def _call(server: Running, state: str | None = None, **headers: str) -> Answer:
    params: dict[str, Any] = {"name": "alpha_ask", "arguments": {}, "_meta": envelope()}
    if state is not None:
        params |= {"requestState": state, "inputResponses": {"go": {"action": "accept", "content": {"ok": True}}}}
    named: dict[str, str | None] = {key.replace("_", "-"): value for key, value in headers.items()}
    return post(server, request("tools/call", params), headers=named)


def _state(server: Running) -> str:
    state = _call(server).last["result"]["requestState"]
    assert "noted" not in state
    return str(state)


@pytest.mark.parametrize(("sealed", "opened"), [("old", "old"), ("old", "rotating"), ("rotating", "new")])
def test_a_node_opens_what_another_sealed_with_a_key_it_holds(
    nodes: dict[str, Running], sealed: str, opened: str
) -> None:
    assert _call(nodes[opened], _state(nodes[sealed])).text == "noted"


def test_a_node_without_the_key_refuses(nodes: dict[str, Running]) -> None:
    answer = _call(nodes["other"], _state(nodes["old"]))
    assert (answer.status, answer.code) == (400, -32602)


def test_another_caller_cannot_use_it(nodes: dict[str, Running]) -> None:
    answer = _call(nodes["old"], _state(nodes["old"]), x_caller="bob")
    assert (answer.status, answer.code) == (400, -32602)


def test_changed_state_is_refused(nodes: dict[str, Running]) -> None:
    answer = _call(nodes["old"], _state(nodes["old"])[:-2] + "AA")
    assert (answer.status, answer.code) == (400, -32602)
