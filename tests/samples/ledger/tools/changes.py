from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from tests.samples.ledger.service import Entry, LedgerService


class AddArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    what: Annotated[str, Meta(description="What it is for", max_length=200)]
    amount: Annotated[int, Meta(description="Amount", ge=0, le=1_000_000)] = 0
    replace: Annotated[bool, Meta(description="Delete all other entries first: then the call destroys")] = False


class RemoveArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    number: Annotated[int, Meta(description="Number of the entry", ge=1)]
    confirm: Annotated[str | UnsetType, Meta(description="Code of the call without it")] = UNSET


def _effect_of_add(args: AddArgs) -> Effect:
    return Effect.DESTROY if args.replace else Effect.WRITE


@tool(
    "add",
    args=AddArgs,
    effect=Effect.WRITE,
    effect_of=_effect_of_add,
    description="Add an entry to a ledger.",
    idempotent=False,
)
async def add(call: Call[LedgerService], args: AddArgs) -> Result:
    """A new entry with the next number."""
    book = call.service.book(call.target)
    if args.replace:
        book.entries.clear()
    entry = book.add(args.what, args.amount)
    return Result(header=f"added entry {entry.number} to ledger {call.target}", facts={"number": entry.number})


@tool(
    "remove",
    args=RemoveArgs,
    effect=Effect.DESTROY,
    description="Remove an entry from a ledger. Without confirm it says what would go, and the code that confirms it.",
    own_errors={"wrong_code": "the code is not the one of this entry"},
)
async def remove(call: Call[LedgerService], args: RemoveArgs) -> Result:
    """Two calls: the plan with its code, then the deed."""
    book = call.service.book(call.target)
    entry = book.entries.get(args.number)
    if entry is None:
        raise ToolError("not_found", f"number: ledger {call.target} has no entry {args.number}; use a listed one")
    code = _code(call, entry)
    if args.confirm is UNSET:
        return Result(header=f"would remove entry {entry.number} ({entry.what}); to do so confirm with {code}")
    if args.confirm != code:
        raise ToolError("wrong_code", "confirm: is not the code of this entry; call again without confirm")
    del book.entries[entry.number]
    return Result(header=f"removed entry {entry.number} from ledger {call.target}")


def _code(call: Call[LedgerService], entry: Entry) -> str:
    return call.service.digest(f"{call.target}\0{entry}".encode())


TOOLS = (add, remove)
