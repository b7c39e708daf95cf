"""``kubernetes_list``: objects of one or more kinds as tables.

API: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.backends.kubernetes.namespaces import asked_namespaces, missing_namespaces
from cloud_native_mcp.backends.kubernetes.selectors import check_field_selector, check_label_selector
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Page, Result
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.kubernetes.listing.columns import parse_fields, worth_showing
from cloud_native_mcp.services.kubernetes.listing.pages import NARROW, Asked, Position, list_pages_of
from cloud_native_mcp.services.kubernetes.listing.scan import MOST_SCANNED, By, Scan, scan_source
from cloud_native_mcp.services.kubernetes.listing.sources import each, sources_of
from cloud_native_mcp.services.kubernetes.listing.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import Cell, CursorState
    from cloud_native_mcp.services.kubernetes.listing.scan import Scanned
    from cloud_native_mcp.services.kubernetes.listing.sources import Source
    from cloud_native_mcp.services.kubernetes.service import KubernetesService


class ListArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_list``."""

    kind: Annotated[
        str, Meta(description="Kind, plural or short name; several comma separated; 'all' for common kinds")
    ]
    namespace: Annotated[str, Meta(description="Namespace; omit for all")] | UnsetType = UNSET
    query: (
        Annotated[str, Meta(description="Text to find in name, labels, annotations, images, IPs", extra=FREE_TEXT)]
        | UnsetType
    ) = UNSET
    label_selector: Annotated[str, Meta(description="e.g. app=web,tier!=cache")] | UnsetType = UNSET
    field_selector: Annotated[str, Meta(description="e.g. status.phase=Failed,spec.nodeName=n1")] | UnsetType = UNSET
    fields: (
        Annotated[list[str], Meta(description="Columns as JSONPath, e.g. .spec.nodeName, in place of the default ones")]
        | UnsetType
    ) = UNSET
    columns: Annotated[Literal["default", "wide", "labels", "name"], Meta(description="Column set")] = "default"
    sort_by: Annotated[str, Meta(description="Column or JSONPath; leading - for descending")] | UnsetType = UNSET
    count_by: Annotated[str, Meta(description="Column or JSONPath to count by, in place of rows")] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=500, description="Rows per answer")] = 50
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@tool(
    "list",
    args=ListArgs,
    effect=Effect.READ,
    toolset="core",
    all_targets=True,
    description=(
        "List or search Kubernetes objects of one or more kinds as a table. Filters: text, labels, fields. "
        "Can count by a column instead of listing."
    ),
)
async def list_objects(call: Call[KubernetesService], args: ListArgs) -> Result:
    """List objects of one or more kinds, page by page or by a scan."""
    asked = _asked(call, args)
    state = call.cursors.open(args.cursor) if args.cursor else None
    sources, failed = await sources_of(call, args.kind)
    scan = Scan(
        query=(args.query or "").lower(),
        sort_by=By.parse(args.sort_by, field="sort_by") if args.sort_by else None,
        count_by=By.parse(args.count_by, field="count_by") if args.count_by else None,
    )
    if scan == Scan():
        result = await _paged(sources, asked, state)
    else:
        result = await _scanned(sources, asked, scan, state)
    empty_notes = [] if result.blocks else await missing_namespaces(call, asked.namespace)
    return Result(
        header=_header(call, args, sources),
        blocks=result.blocks,
        page=result.page,
        notes=[*result.notes, *empty_notes],
        partial=[*failed, *result.partial],
    )


TOOLS = (list_objects,)


def _asked(call: Call[KubernetesService], args: ListArgs) -> Asked:
    """The checked request; nothing has been sent yet.

    Raises:
        InvalidArgument: names the argument and the rule it breaks.
    """
    if args.fields and args.count_by:
        raise InvalidArgument("count_by", "counts in place of rows; leave out fields")
    return Asked(
        namespace=check_namespace(args.namespace) if args.namespace is not UNSET else None,
        label_selector=check_label_selector(args.label_selector) if args.label_selector else "",
        field_selector=check_field_selector(args.field_selector) if args.field_selector else "",
        limit=args.limit,
        columns=args.columns,
        fields=parse_fields(args.fields) if args.fields else (),
        deadline=call.deadline,
        digest=call.service.digest,
        several_clusters=len(call.targets) > 1,
    )


async def _paged(sources: Sequence[Source], asked: Asked, state: CursorState | None) -> Result:
    listed = await list_pages_of(sources, asked, Position.of(state))
    notes: list[str] = []
    if listed.tables and len(sources) > 1 and listed.empty:
        notes.append(f"none: {', '.join(source.words for source in listed.empty)}")
    if not listed.tables:
        notes.append("nothing found")
    return Result(blocks=listed.tables, page=listed.page, notes=notes, partial=listed.failed)


async def _scanned(sources: Sequence[Source], asked: Asked, scan: Scan, state: CursorState | None) -> Result:
    answers, failed = await each(sources, lambda source: scan_source(source, asked, scan))
    found = [scanned for _, scanned in answers]
    rows = _counts(found, scan) if scan.count_by is not None else _ordered(found, scan)
    offset = as_int((state or {}).get("offset"))
    counted = scan.count_by is not None and scan.count_by.path is not None
    shown = rows[offset : offset + asked.limit]
    shown = shown[: worth_showing([cells for _, _, cells in shown])]
    tables = Tables(sources, several_clusters=asked.several_clusters)
    for (one, columns), run in itertools.groupby(shown, key=lambda row: row[:2]):
        cells = [cells for _, _, cells in run]
        tables.add(one.source, columns, cells, untrusted=counted or asked.foreign(one.source))
    complete = all(one.complete for one in found)
    page = Page.at_offset(offset, len(rows), at_least=not complete, narrow=NARROW)
    return Result(blocks=tables.tables, page=page, notes=_scan_notes(found, rows), partial=failed)


_Found = tuple["Scanned", "Sequence[str]", "Sequence[Cell]"]


def _ordered(found: Sequence[Scanned], scan: Scan) -> list[_Found]:
    """Rows of each source in order, sorted when asked."""
    rows: list[_Found] = []
    for one in found:
        if scan.sort_by is not None:
            one.rows.sort(key=lambda row: row[0][1:], reverse=scan.sort_by.descending)
            one.rows.sort(key=lambda row: row[0][0])  # stable: numbers, then texts, then what is empty
        rows += [(one, one.columns, cells) for _, cells in one.rows]
    return rows


def _counts(found: Sequence[Scanned], scan: Scan) -> list[_Found]:
    """Values with their counts, most frequent first."""
    name = scan.count_by.text.upper() if scan.count_by else ""
    return [
        (one, (name, "COUNT"), (value, count))
        for one in found
        for value, count in sorted(one.counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _scan_notes(found: Sequence[Scanned], rows: Sequence[_Found]) -> list[str]:
    notes = [] if rows else [f"nothing found among {sum(one.seen for one in found)} objects"]
    notes += [
        f"{one.source.words}: looked at {one.seen} objects, the most for one call ({MOST_SCANNED}); "
        "order and counts cover only those"
        for one in found
        if not one.complete
    ]
    return notes


def _header(call: Call[KubernetesService], args: ListArgs, sources: Sequence[Source]) -> str:
    """What was asked, where, as of when."""
    kinds = ", ".join(dict.fromkeys(f"{s.resource.display} ({s.resource.group_version})" for s in sources))
    where = asked_namespaces(args.namespace or None, call.service, call.targets)
    if not any(source.resource.namespaced for source in sources):
        where = "cluster scope"
    filters = "".join(
        f", {name} {value!a}"
        for name, value in (("labels", args.label_selector), ("fields", args.field_selector), ("text", args.query))
        if value
    )
    now = rfc3339(datetime.now(UTC).replace(microsecond=0))
    return f"{kinds} in {where}{filters} on {', '.join(call.targets)}, {now}"
