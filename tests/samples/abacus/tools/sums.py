from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call

    from ..service import AbacusService  # noqa: TID252 - the folder is used under several names


class AddArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    numbers: Annotated[list[int], Meta(description="Numbers to add")]


@tool("add", args=AddArgs, effect=Effect.READ, description="Add whole numbers.", toolset="core")
async def add(call: Call[AbacusService], args: AddArgs) -> Result:
    """The sum, while there are beads enough."""
    total = sum(args.numbers)
    if total > call.service.beads:
        raise InvalidArgument("numbers", f"add up to more than {call.service.beads}; give smaller ones")
    return Result(header=str(total), facts={"sum": total})


TOOLS = (add,)
