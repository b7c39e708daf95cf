"""The description of one object: its facts, who owns it, its events, and what must be joined to see a fault."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.meta import PartialObject
from cloud_native_mcp.backends.kubernetes.owners import owner_chain
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Text
from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.response.table import lines_of
from cloud_native_mcp.services.kubernetes.describe.cluster import add_allocation
from cloud_native_mcp.services.kubernetes.describe.network import add_endpoints
from cloud_native_mcp.services.kubernetes.describe.registry import describe
from cloud_native_mcp.services.kubernetes.event_records import EventRecord, group_events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.kubernetes.describe.facts import Facts

MOST_EVENTS: Final = 10
MOST_BYTES: Final = 12_000
"""Bytes of the facts of one object."""
_PODS_OF_NODE: Final = 500


async def describe_object(
    client: KubernetesClient,
    resource: Resource,
    obj: dict[str, object],
    *,
    deadline: Deadline,
    digest: Callable[[bytes], str],
) -> Text:
    """One object's description. What may not be read beside it is said, not fatal."""
    facts = describe(obj, group=resource.group, kind=resource.kind, digest=digest)
    name = as_str(dig(obj, "metadata", "name"))
    namespace = as_str(dig(obj, "metadata", "namespace")) or None
    meta = msgspec.convert(obj, PartialObject).metadata
    owners = await owner_chain(client, meta, namespace, deadline=deadline)
    if owners:
        facts.lines.insert(0, "owner: " + " < ".join(f"{owner.kind}/{owner.name}" for owner in owners))
    await _join(client, resource, obj, facts, deadline)
    tables = [_section(table.title, table.columns, table.rows) for table in facts.tables]
    text = "\n".join([_within(facts), *tables, await _events(client, meta.uid, namespace, deadline)])
    return Text(text, untrusted=True, source=f"{resource.kind} {name}")


async def _join(
    client: KubernetesClient, resource: Resource, obj: dict[str, object], facts: Facts, deadline: Deadline
) -> None:
    """What another kind tells of this one: endpoints of a Service, allocation of a Node."""
    name, namespace = as_str(dig(obj, "metadata", "name")), as_str(dig(obj, "metadata", "namespace"))
    if (resource.group, resource.kind) == ("", "Service"):
        selector = f"kubernetes.io/service-name={name}"
        slices = await _read(
            client, "discovery.k8s.io", "EndpointSlice", ListQuery(namespace, selector), facts, deadline
        )
        if slices is not None:
            add_endpoints(facts, slices)
    elif (resource.group, resource.kind) == ("", "Node"):
        query = ListQuery(field_selector=f"spec.nodeName={name}", limit=_PODS_OF_NODE, whole=True)
        pods = await _read(client, "", "Pod", query, facts, deadline)
        if pods is not None:
            add_allocation(facts, obj, pods)


async def _read(
    client: KubernetesClient, group: str, kind: str, query: ListQuery, facts: Facts, deadline: Deadline
) -> list[dict[str, object]] | None:
    resource = await client.discovery.find(group, "", kind, deadline=deadline)
    if resource is None:
        return None
    try:
        page = await list_page(client, resource, query, item=dict[str, object], deadline=deadline)
    except BackendError as error:
        facts.add("not read", f"{resource.display}: {error.code}")
        return None
    return list(page.items)


async def _events(client: KubernetesClient, uid: str, namespace: str | None, deadline: Deadline) -> str:
    """The last events of an object, repeats folded."""
    resource = await client.discovery.find("", "v1", "Event", deadline=deadline)
    if resource is None:
        return "events: not served by this cluster"
    query = ListQuery(namespace, field_selector=f"involvedObject.uid={uid}")
    try:
        page = await list_page(client, resource, query, item=EventRecord, deadline=deadline)
    except BackendError as error:
        return f"events: not read ({error.code})"
    groups = group_events(page.items, owner=lambda _: "")
    if not groups:
        return "events: none held"
    now = datetime.now(UTC)
    rows = [
        (format_age(now - g.last), g.count, g.newest.type, g.newest.reason, g.newest.message)
        for g in groups[:MOST_EVENTS]
    ]
    more = f" (newest {MOST_EVENTS} of {len(groups)})" if len(groups) > MOST_EVENTS else ""
    return _section(f"Events{more}", ("LAST", "COUNT", "TYPE", "REASON", "MESSAGE"), rows)


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table as part of the text: one envelope around a description costs less than one around each of its tables."""
    return "\n".join([f"{title}:", *lines_of(columns, rows)])


def _within(facts: Facts) -> str:
    """The lines of the facts, the last ones left out when they are too many."""
    kept, size = list[str](), 0
    for line in facts.lines:
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            kept.append(f"… {len(facts.lines) - len(kept)} more lines; use view=yaml or fields")
            break
        kept.append(line)
    return "\n".join(kept)
