"""Asking the person at a client whether a plan may be carried out, where the client can be asked.

Clients of 2026-07-28 get a result that requires input and call again with the answer; older ones are asked by a request
of ours (elicitation), for which they need a session. All others get the plan with its code.

https://modelcontextprotocol.io/specification/draft/client/elicitation
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult

from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.routing.request import CallAnswer
from cloud_native_mcp.transport.frame import MODERN

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp_types import CallToolRequestParams, ClientCapabilities

    Context = ServerRequestContext[Any, Any]

ASKED: Final = "consent"
"""Our name of the question among the requests for input."""
DECLINED: Final = CallAnswer(
    content=[{"type": "text", "text": "declined: the person at the client did not agree; nothing was done"}],
    is_error=True,
    code="declined",
)
NOT_ASKED: Final = CallAnswer(
    content=[
        {
            "type": "text",
            "text": "needs_person: a person has to agree to this call, and this client does not offer to ask one; "
            "nothing was done [final]",
        }
    ],
    is_error=True,
    code="needs_person",
)
_PATIENCE_S: Final = 600.0
"""As long as the code of a plan is valid."""
_FIELD: Final = "agree"
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {_FIELD: {"type": "boolean", "title": "Do it", "description": "Carry out this plan"}},
    "required": [_FIELD],
}


def offers_forms(capabilities: object) -> bool:
    """Whether a client, by its capabilities in wire form, shows forms to a person; without modes it does."""
    elicitation = as_dict(capabilities).get("elicitation")
    return isinstance(elicitation, dict) and ("form" in elicitation or "url" not in elicitation)


def given_consent(params: CallToolRequestParams) -> str | None:
    """The code of the plan that the person agreed to; empty when nobody was asked yet, None after anything but yes."""
    if params.input_responses is None or params.request_state is None:
        return ""
    return params.request_state if _agreed(params.input_responses.get(ASKED)) else None


def question(plan: CallAnswer) -> dict[str, Any]:
    """The result that asks a client of 2026-07-28; its state is sealed on the way out."""
    params = {"mode": "form", "message": _message(plan), "requestedSchema": _SCHEMA}
    return {
        "resultType": "input_required",
        "inputRequests": {ASKED: {"method": "elicitation/create", "params": params}},
        "requestState": plan.confirm,
    }


async def ask(ctx: Context, plan: CallAnswer) -> bool:
    """Ask in the session of an older client. A client that fails to answer has not agreed."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            result = await ctx.session.elicit_form(_message(plan), _SCHEMA, ctx.request_id)
    except (MCPError, TimeoutError):
        return False
    return _agreed(result)


def can_be_asked(ctx: Context) -> bool:
    """Whether this caller can be asked at all, in the way of its era."""
    if not offers_forms(_wire(ctx.session.client_capabilities)):
        return False
    return ctx.protocol_version in MODERN or ctx.session.can_send_request


def _wire(capabilities: ClientCapabilities | None) -> dict[str, object]:
    return capabilities.model_dump(by_alias=True, exclude_none=True) if capabilities is not None else {}


def _agreed(given: object) -> bool:
    return isinstance(given, ElicitResult) and given.action == "accept" and (given.content or {}).get(_FIELD) is True


def _message(plan: CallAnswer) -> str:
    """The plan without its code, which is of no use to a person."""
    lines = "\n".join(str(part.get("text", "")) for part in plan.content).splitlines()
    return "\n".join(line for line in lines if plan.confirm not in line)
