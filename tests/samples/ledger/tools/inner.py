"""Tools that call other tools, and tools that tell the time they were given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import orjson
from msgspec import Meta

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.tool import JSON_TEXT, Args, NoArgs, tool

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from tests.samples.ledger.service import LedgerService


class RelayArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tool: Annotated[str, Meta(description="Full name of the other tool")]
    arguments: Annotated[str, Meta(description="Its arguments, as JSON", extra=JSON_TEXT)] = "{}"


class PatientArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    seconds: Annotated[int, Meta(description="Seconds to be ready to wait", ge=0, le=100_000)] = 0


@tool("relay", args=RelayArgs, effect=Effect.READ, description="Call another tool and pass its answer on.")
async def relay(call: Call[LedgerService], args: RelayArgs) -> Result:
    """The other tool's answer, with this call's own deadline among the facts."""
    inner = await call.tools.call(args.tool, as_dict(orjson.loads(args.arguments)))
    return Result(
        header=f"relayed: {inner.header}",
        blocks=inner.blocks,
        page=inner.page,
        facts={"inner": dict(inner.facts), "deadline": call.deadline.at},
    )


@tool("hurried", args=NoArgs, effect=Effect.READ, description="Tell how long an ordinary call may take.")
async def hurried(call: Call[LedgerService], args: NoArgs) -> Result:
    """The deadline of timeout class quick."""
    del args
    return _told(call)


@tool("steady", args=NoArgs, effect=Effect.READ, description="Tell how long a heavy call may take.", timeout="slow")
async def steady(call: Call[LedgerService], args: NoArgs) -> Result:
    """The deadline of timeout class slow."""
    del args
    return _told(call)


@tool(
    "patient",
    args=PatientArgs,
    effect=Effect.READ,
    description="Tell how long a call that waits on purpose may take.",
    timeout="long",
    waits="seconds",
)
async def patient(call: Call[LedgerService], args: PatientArgs) -> Result:
    """The deadline of timeout class long."""
    del args
    return _told(call)


def _told(call: Call[LedgerService]) -> Result:
    return Result(header="told", facts={"deadline": call.deadline.at})


TOOLS = (relay, hurried, steady, patient)
