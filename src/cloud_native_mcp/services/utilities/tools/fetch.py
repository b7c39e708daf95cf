"""``utilities_fetch``: a public page as Markdown, text, source or a part of its JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Budget, Page, Result, Text
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.response.pieces import piece
from cloud_native_mcp.services.utilities.excerpt import find
from cloud_native_mcp.services.utilities.pages import Form  # noqa: TC001 - read at run time by the schema

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.utilities.service import UtilitiesService

_FRAME = 2_000
"""Bytes of an answer besides the part of the page: header, envelope, footer."""


class FetchArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``utilities_fetch``."""

    url: Annotated[str, Meta(description="https:// or http:// address", max_length=4_000)]
    format: Annotated[Form, Meta(description="Output")] = "markdown"
    select: (
        Annotated[str, Meta(description="json: JSONPath; else text to find, with lines around it", max_length=500)]
        | UnsetType
    ) = UNSET
    max_bytes: Annotated[int, Meta(description="Bytes returned", ge=500, le=100_000)] = 16_000
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@tool(
    "fetch",
    args=FetchArgs,
    effect=Effect.READ,
    description="Fetch a public web page or API by GET and return it as text, Markdown or JSON part. Private, loopback "
    "and metadata addresses are refused.",
    freshness="ttl",
    budget=Budget(16_000 + _FRAME, 100_000 + _FRAME),
    untrusted=True,
    open_world=True,
    own_errors={
        "address_denied": "the address is not a public one, or not allowed",
        "redirect_denied": "the page redirects too often, or to an address that is not allowed",
        "too_large": "the page is above 5 MB",
        "tls_error": "the server's certificate or TLS is not acceptable",
        "http_status": "the server answered with an error status",
        "unsupported_type": "the page is not text",
    },
)
async def fetch(call: Call[UtilitiesService], args: FetchArgs) -> Result:
    """Show one part of a page; the cursor continues it."""
    start = 0 if args.cursor is UNSET else as_int(call.cursors.open(args.cursor).get("at"))
    select = args.select if args.select is not UNSET and args.select else None
    page = await call.service.pages.get(
        args.url,
        form=args.format,
        path=select if args.format == "json" else None,
        caller=f"{call.principal.method}:{call.principal.id}",
        deadline=call.deadline,
    )
    text, notes = page.text, list[str]()
    if select is not None and args.format != "json":
        found = find(text, select)
        if not found.matches:
            raise ToolError("not_found", f"{page.url[:200]} does not hold {select[:80]!a}")
        text = found.text
        notes.append(f"{found.matches} lines hold {select[:80]!a}")
    if page.cut:
        notes.append("elements very deep inside others are left out; format=raw has them")
    if start > len(text):
        raise InvalidArgument("cursor", "the page is shorter now; fetch it without cursor", code="expired_cursor")
    part = piece(text, start, args.max_bytes)
    shown = f"characters {start:,} to {start + len(part.text):,} of {len(text):,}"
    title = f" · {page.title[:120]}" if page.title else ""
    return Result(
        header=f"{page.status} {page.url[:300]} · {page.kind or 'no type'}, {page.size:,} bytes · "
        f"{rfc3339(datetime.now(UTC).replace(microsecond=0))}",
        blocks=[Text(part.text, untrusted=True, source=f"{page.url[:150]}{title}")],
        page=Page(resume=lambda _: None if part.next is None else {"at": part.next}) if part.next else None,
        notes=[*notes, shown],
        facts={"url": page.url, "status": page.status, "title": page.title, "text": part.text, "next": part.next},
    )


TOOLS = (fetch,)
