"""What one diagnosis read of the cluster: shared by all areas, each kind read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.kubernetes.diagnosis.finding import Ref
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import HASH_LABEL, Pod
from cloud_native_mcp.services.kubernetes.event_records import EventRecord
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from cloud_native_mcp.services.kubernetes.diagnosis.finding import Area
    from cloud_native_mcp.services.kubernetes.reading import Reader

PODS: Final = Kind("", "Pod", Pod, field_selector="status.phase!=Succeeded")
EVENTS: Final = Kind("", "Event", EventRecord, field_selector="type=Warning")


class Survey:
    """One look at a namespace, or at the whole cluster.

    Attributes:
        reader: reads the kinds; keeps what could not be read.
        areas: what is looked at.
        since: the beginning of the window that events and restarts are looked at in.
    """

    def __init__(self, reader: Reader, since: datetime, areas: Collection[Area]) -> None:
        self.reader = reader
        self.since = since
        self.areas = areas

    @property
    def now(self) -> datetime:
        """The moment of the look."""
        return self.reader.now

    @property
    def whole_cluster(self) -> bool:
        """Whether no namespace was named."""
        return self.reader.namespace is None

    def older(self, then: datetime | None, span: timedelta) -> bool:
        """Whether something began longer ago than that; not when its beginning is unknown."""
        return then is not None and self.now - then > span

    async def events(self, area: Area) -> Mapping[str, Sequence[EventRecord]]:
        """Warnings of the window by the uid of what they are about, the newest first."""
        events = await self.reader.optional(EVENTS, area)
        return await self.reader.once("events by uid", lambda: self._by_uid(events))

    async def _by_uid(self, events: Sequence[EventRecord]) -> dict[str, list[EventRecord]]:
        found: dict[str, list[EventRecord]] = {}
        async for event in unhurried(events):
            if event.last >= self.since:
                found.setdefault(event.involved_object.uid, []).append(event)
        for some in found.values():
            some.sort(key=lambda event: event.last, reverse=True)
        return found


def workload_of(pod: Pod) -> Ref:
    """What a pod belongs to, told by its metadata alone; the pod itself when nothing controls it."""
    meta = pod.metadata
    owner = meta.controller
    if owner is None or owner.kind == "Node":
        return Ref("Pod", meta.namespace, meta.name)
    suffix = f"-{meta.labels.get(HASH_LABEL, '')}"
    if owner.kind == "ReplicaSet" and len(suffix) > 1 and owner.name.endswith(suffix):
        return Ref("Deployment", meta.namespace, owner.name.removesuffix(suffix))
    return Ref(owner.kind, meta.namespace, owner.name)


def event_text(event: EventRecord) -> str:
    """An event as evidence."""
    times = f" x{event.times}" if event.times > 1 else ""
    return f"event {event.reason}{times}: {event.message}"
