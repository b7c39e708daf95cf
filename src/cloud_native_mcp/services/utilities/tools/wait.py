"""``utilities_wait``: a pause between two checks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.contract.tool import Args, tool

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.utilities.service import UtilitiesService


class WaitArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``utilities_wait``."""

    seconds: Annotated[int, Meta(description="How long", ge=1, le=300)]


@tool(
    "wait",
    args=WaitArgs,
    effect=Effect.READ,
    description="Pause for some seconds, e.g. between two checks. Prefer kubernetes_wait when waiting for an object.",
    timeout="long",
    waits="seconds",
    budget=Budget(1_000, 1_000),
    own_errors={"too_long": "longer than this server allows"},
)
async def wait(call: Call[UtilitiesService], args: WaitArgs) -> Result:
    """Wait, then say what time it is."""
    caller = f"{call.principal.method}:{call.principal.id}"
    await call.service.waits.pause(args.seconds, caller=caller, progress=call.progress)
    now = datetime.now(UTC).replace(microsecond=0)
    return Result(
        header=f"waited {args.seconds} s · now {rfc3339(now)}",
        facts={"seconds": args.seconds, "now": rfc3339(now)},
    )


TOOLS = (wait,)
