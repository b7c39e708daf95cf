"""``kubernetes_events``: events, newest first, repeats folded.

API: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.fanout import ask_targets
from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import PAGE_SIZE, ListQuery, list_pages
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.namespaces import asked_namespaces, missing_namespaces
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Budget, Page, Result, Table
from cloud_native_mcp.contract.times import format_age, parse_instant, rfc3339
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.event_records import EventGroup, EventGroups, EventRecord, workload_of
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object
from cloud_native_mcp.services.kubernetes.workloads import family_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

MOST_SCANNED: Final = 20_000
HELD: Final = timedelta(hours=1)
"""How long API servers keep events unless they are told otherwise."""
_SINGLE: Final = frozenset({"Node", "Namespace", "PersistentVolume"})


class EventsArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_events``."""

    namespace: Annotated[str, Meta(description="Namespace; omit for all")] | UnsetType = UNSET
    kind: Annotated[str, Meta(description="Kind of the involved object")] | UnsetType = UNSET
    name: Annotated[str, Meta(description="Name of the involved object")] | UnsetType = UNSET
    type: (
        Annotated[Literal["warning", "normal", "all"], Meta(description="Default warning, or all when name is given")]
        | UnsetType
    ) = UNSET
    reason: Annotated[str, Meta(description="e.g. FailedScheduling")] | UnsetType = UNSET
    query: Annotated[str, Meta(description="Text to find in message or reason", extra=FREE_TEXT)] | UnsetType = UNSET
    since: Annotated[str, Meta(description="Window: 30m, 6h, 2d or RFC 3339 start")] = "1h"
    group: Annotated[bool, Meta(description="Merge repeats")] = True
    limit: Annotated[int, Meta(ge=1, le=200, description="Rows per answer")] = 50
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _Filter:
    """What events are kept: by the server's selectors, then here."""

    namespace: str | None
    type: str
    reason: str
    query: str
    since: datetime

    def selector(self, kind: str = "", name: str = "") -> str:
        """The field selector the API server applies."""
        terms = (
            ("type", self.type),
            ("reason", self.reason),
            ("involvedObject.kind", kind),
            ("involvedObject.name", name),
        )
        return ",".join(f"{path}={value}" for path, value in terms if value)

    def keeps(self, event: EventRecord) -> bool:
        """What the server cannot select by: time and text."""
        if event.last < self.since:
            return False
        return not self.query or self.query in event.message.lower() or self.query in event.reason.lower()


@dataclass(slots=True)
class _Found:
    """Events of one cluster that passed, and how much was looked at."""

    events: list[EventRecord] = field(default_factory=list[EventRecord])
    scanned: int = 0
    oldest: datetime | None = None
    complete: bool = True
    missing: str = ""
    """Why there may be none: the named object does not exist."""


@tool(
    "events",
    args=EventsArgs,
    effect=Effect.READ,
    toolset="core",
    all_targets=True,
    untrusted=True,
    budget=Budget(usual=12_000),
    description=(
        "Kubernetes events, newest first, repeats grouped. Default: warnings of the last hour; all types when one "
        "object is named."
    ),
)
async def events(call: Call[KubernetesService], args: EventsArgs) -> Result:
    """Events of a namespace, of everything, or of one object and what it owns."""
    now = datetime.now(UTC)
    wanted = _filter(args, now)
    state = call.cursors.open(args.cursor) if args.cursor else {}
    asked = await ask_targets(call, lambda client: _collect(client, args, wanted, call))
    rows = sorted(
        [(target, group) for target, found in asked.answers for group in await _groups(found, grouped=args.group)],
        key=lambda pair: pair[1].last,
        reverse=True,
    )
    offset, total = as_int(state.get("offset")), len(rows)
    shown = rows[offset : offset + args.limit]
    found = [one for _, one in asked.answers]
    table = _table(shown, now, grouped=args.group, several=asked.several)
    return Result(
        header=_header(call, args, wanted, now),
        blocks=[table] if shown else [],
        page=Page.at_offset(offset, total, narrow="namespace, name, reason or since"),
        notes=[*_notes(found, wanted, now, total), *await _absent(call, found, wanted, empty=not rows)],
        partial=[*asked.failed, *(_unfinished(one) for one in found if not one.complete)],
    )


TOOLS = (events,)


def _filter(args: EventsArgs, now: datetime) -> _Filter:
    if args.name is not UNSET and not args.kind:
        raise InvalidArgument("kind", "is needed with name, e.g. kind=pod or kind=deployment")
    kind = args.type or ("all" if args.name else "warning")
    since = parse_instant(args.since, field="since", now=now)
    if since > now:
        raise InvalidArgument("since", "lies in the future")
    return _Filter(
        namespace=check_namespace(args.namespace) if args.namespace is not UNSET else None,
        type="" if kind == "all" else kind.title(),
        reason=_plain_reason(args.reason) if args.reason else "",
        query=(args.query or "").lower(),
        since=since,
    )


def _plain_reason(reason: str) -> str:
    """A reason is one word; anything else would change the selector it becomes part of."""
    if not reason.isalnum() or not reason.isascii():
        raise InvalidArgument("reason", "is one word such as FailedScheduling or BackOff; use query for text")
    return reason


async def _collect(
    client: KubernetesClient, args: EventsArgs, wanted: _Filter, call: Call[KubernetesService]
) -> _Found:
    """All matching events of one cluster."""
    found = _Found()
    if not args.kind:
        await _scan(client, wanted, wanted.selector(), found, call)
        return found
    resource = await client.discovery.resolve(args.kind, deadline=call.deadline)
    if args.name is UNSET:
        await _scan(client, wanted, wanted.selector(kind=resource.kind), found, call)
        return found
    check_name(args.name, resource=resource)
    namespace = wanted.namespace or (client.namespace if resource.namespaced else None)
    scope = wanted if wanted.namespace == namespace else _with_namespace(wanted, namespace)
    for kind, name in await _involved(client, args, namespace, call):
        await _scan(client, scope, scope.selector(kind, name), found, call)
    if not found.events:
        found.missing = await _missing(client, resource, args.name, namespace, call)
    return found


async def _missing(
    client: KubernetesClient, resource: Resource, name: str, namespace: str | None, call: Call[KubernetesService]
) -> str:
    """The line that the object does not exist, with near names; empty when it does or may not be read."""
    try:
        await get_object(client, resource, name, namespace=namespace, deadline=call.deadline)
    except ToolError as error:
        return error.text if error.code == "not_found" else ""
    return ""


async def _involved(
    client: KubernetesClient, args: EventsArgs, namespace: str | None, call: Call[KubernetesService]
) -> Sequence[tuple[str, str]]:
    """The named object and, for a workload, its ReplicaSets, Jobs and pods. Events outlive their object."""
    resource = await client.discovery.resolve(args.kind or "", deadline=call.deadline)
    name = args.name or ""
    if resource.kind == "Pod" or resource.kind in _SINGLE:
        return [(resource.kind, name)]
    try:
        obj = await get_object(client, resource, name, namespace=namespace, deadline=call.deadline)
    except ToolError as error:
        if error.code not in {"not_found", "forbidden", DENIED}:
            raise
        return [(resource.kind, name)]
    family = await family_of(client, resource, obj, deadline=call.deadline)
    return sorted(family.names)


async def _scan(
    client: KubernetesClient, wanted: _Filter, selector: str, found: _Found, call: Call[KubernetesService]
) -> None:
    """Pages of events that the selector matches; time and text are filtered here, before the limit."""
    resource = await client.discovery.find("", "v1", "Event", deadline=call.deadline)
    if resource is None:
        raise ToolError("unsupported", f"cluster {client.name} serves no events")
    query = ListQuery(wanted.namespace, field_selector=selector, limit=PAGE_SIZE)
    async for page in list_pages(client, resource, query, item=EventRecord, deadline=call.deadline):
        found.scanned += len(page.items)
        for event in page.items:
            last = event.last
            found.oldest = last if found.oldest is None else min(found.oldest, last)
            if wanted.keeps(event):
                found.events.append(event)
        if found.scanned >= MOST_SCANNED and page.cursor:
            found.complete = False
            return
        await asyncio.sleep(0)


def _with_namespace(wanted: _Filter, namespace: str | None) -> _Filter:
    return _Filter(namespace, wanted.type, wanted.reason, wanted.query, wanted.since)


async def _groups(found: _Found, *, grouped: bool) -> list[EventGroup]:
    """Groups of the events, or each for itself; other calls are served in between."""
    groups, single = EventGroups(_owner), list[EventGroup]()
    for number, event in enumerate(found.events, start=1):
        if grouped:
            groups.add(event)
        else:
            single.append(EventGroup(event, event.times, event.first, event.last, {event.involved_object.name}))
        if number % PAGE_SIZE == 0:
            await asyncio.sleep(0)
    return groups.newest_first() if grouped else single


def _owner(event: EventRecord) -> Hashable:
    """What repeats are folded under: pods of one workload share the name up to the generated parts."""
    about = event.involved_object
    return (about.namespace, about.kind, workload_of(about.name) if about.kind == "Pod" else about.name)


def _table(rows: Sequence[tuple[str, EventGroup]], now: datetime, *, grouped: bool, several: bool) -> Table:
    columns = ["LAST", "COUNT", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    if not grouped:
        columns[1:2] = ["FIRST", "COUNT"]
        columns.insert(-1, "SOURCE")
    if several:
        columns.insert(0, "CLUSTER")
    cells: list[list[Cell]] = []
    for target, group in rows:
        event = group.newest
        row: list[Cell] = [format_age(now - group.last), group.count, event.type, event.reason]
        row += [_object(group), event.message]
        if not grouped:
            row[1:1] = [format_age(now - group.first)]
            row.insert(-1, event.component)
        cells.append([target, *row] if several else row)
    return Table(columns, cells, untrusted=True, source="events")


def _object(group: EventGroup) -> str:
    about = group.newest.involved_object
    where = f"{about.namespace}/" if about.namespace else ""
    more = f" (+{len(group.objects) - 1})" if len(group.objects) > 1 else ""
    return f"{about.kind} {where}{about.name}{more}"


def _header(call: Call[KubernetesService], args: EventsArgs, wanted: _Filter, now: datetime) -> str:
    what = f"{wanted.type.lower() or 'all'} events"
    about = f" of {args.kind} {args.name}" if args.name else f" of kind {args.kind}" if args.kind else ""
    where = asked_namespaces(wanted.namespace, call.service, call.targets)
    filters = "".join(f", {n} {v!a}" for n, v in (("reason", wanted.reason), ("text", wanted.query)) if v)
    since, until = (rfc3339(moment.replace(microsecond=0)) for moment in (wanted.since, now))
    return f"{what}{about} in {where}{filters} since {since} on {', '.join(call.targets)}, {until}"


def _notes(found: Sequence[_Found], wanted: _Filter, now: datetime, groups: int) -> list[str]:
    matched, scanned = sum(len(one.events) for one in found), sum(one.scanned for one in found)
    oldest = min((one.oldest for one in found if one.oldest), default=None)
    held = f", oldest held {format_age(now - oldest)} ago" if oldest else ""
    notes = [f"matched {matched} of {scanned} scanned, {groups} rows{held}"]
    if now - wanted.since > HELD:
        notes.append("API servers keep events for about an hour unless configured otherwise; older ones may be gone")
    return notes


async def _absent(call: Call[KubernetesService], found: Sequence[_Found], wanted: _Filter, *, empty: bool) -> list[str]:
    """What does not exist, when that explains an empty answer."""
    if not empty:
        return []
    missing = [one.missing for one in found if one.missing]
    return missing or await missing_namespaces(call, wanted.namespace)


def _unfinished(found: _Found) -> str:
    return f"looked at {found.scanned} events, the most for one call; narrow by namespace, kind or reason"
