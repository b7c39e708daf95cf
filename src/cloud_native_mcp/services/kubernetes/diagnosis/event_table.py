"""Events of an object and of what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.contract.result import Table
from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.diagnosis.survey import EVENTS
from cloud_native_mcp.services.kubernetes.event_records import EventRecord, group_events, workload_of
from cloud_native_mcp.services.kubernetes.reading import FATAL
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from cloud_native_mcp.services.kubernetes.diagnosis.related import Related
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

MOST: Final = 12
_COLUMNS: Final = ("LAST", "COUNT", "TYPE", "REASON", "OBJECT", "MESSAGE")


async def event_table(survey: Survey, related: Related) -> list[Table]:
    """Events of the window: of every type about the object itself, warnings about what belongs to it."""
    events = {one.metadata.uid: one for one in await _own(survey, related)}
    names = {(ref.kind, ref.name) for ref in related.about if ref.namespace == related.ref.namespace}
    deployments = {name for kind, name in names if kind == "Deployment"}
    async for one in unhurried(await survey.reader.optional(EVENTS, "pods")):
        about = one.involved_object
        mine = (about.kind, about.name) in names and about.kind != "Node"
        if mine or (about.kind == "ReplicaSet" and about.name.rpartition("-")[0] in deployments):
            events.setdefault(one.metadata.uid, one)
    recent = [one for one in events.values() if one.last >= survey.since]
    groups = group_events(recent, owner=lambda one: (one.involved_object.kind, workload_of(one.involved_object.name)))
    rows = [
        (
            format_age(survey.now - group.last),
            group.count,
            group.newest.type,
            group.newest.reason,
            f"{group.newest.involved_object.kind} {group.newest.involved_object.name}",
            group.newest.message,
        )
        for group in groups[:MOST]
    ]
    title = f"Events, {len(rows)} of {len(groups)} groups" if len(rows) < len(groups) else "Events"
    return [Table(_COLUMNS, rows, title=title, untrusted=True, source="events")] if rows else []


async def _own(survey: Survey, related: Related) -> list[EventRecord]:
    """Events about the object itself; outside namespaces they are named, not known by uid (a node's is its name)."""
    reader, ref = survey.reader, related.ref
    resource = await reader.client.discovery.find("", "v1", "Event", deadline=reader.deadline)
    if resource is None:
        return []
    query = ListQuery(
        ref.namespace or None, field_selector=f"involvedObject.kind={ref.kind},involvedObject.name={ref.name}"
    )
    try:
        page = await list_page(reader.client, resource, query, item=EventRecord, deadline=reader.deadline)
    except ToolError as error:
        if error.code in FATAL:
            raise
        reader.gap("pods", error)
        return []
    return list(page.items)
