from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Page, Result, Table
from cloud_native_mcp.contract.tool import Args, tool

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import CursorState
    from tests.samples.ledger.service import LedgerService


class ListArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    search: Annotated[str | UnsetType, Meta(description="Substring of the text")] = UNSET
    limit: Annotated[int, Meta(description="Entries per page", ge=1, le=500)] = 50
    cursor: Annotated[str | UnsetType, Meta(description="Where the page before ended")] = UNSET


@tool(
    "list",
    args=ListArgs,
    effect=Effect.READ,
    description="List the entries of a ledger.",
    toolset="core",
)
async def list_entries(call: Call[LedgerService], args: ListArgs) -> Result:
    """Entries in the order of their numbers, after the one the cursor names."""
    after = 0
    if args.cursor is not UNSET:
        state = call.cursors.open(args.cursor)
        after = int(str(state["after"]))
    book = call.service.book(call.target)
    fitting = [entry for entry in book.entries.values() if args.search is UNSET or args.search in entry.what]
    left = [entry for entry in fitting if entry.number > after]
    page = left[: args.limit]

    def resume(shown: int) -> CursorState | None:
        return {"after": page[shown - 1].number} if 0 < shown < len(left) else None

    return Result(
        header=f"ledger {call.target}",
        blocks=[Table(("NUMBER", "WHAT", "AMOUNT"), [(e.number, e.what, e.amount) for e in page])],
        page=Page(resume, total=len(fitting), narrow="search"),
        facts={"numbers": [entry.number for entry in page]},
    )


TOOLS = (list_entries,)
