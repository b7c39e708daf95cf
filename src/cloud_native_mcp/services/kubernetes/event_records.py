"""Events of both API generations read as one record, and repeats folded into groups.

Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

EPOCH: Final = datetime.fromtimestamp(0, UTC)
_COMBINED: Final = "(combined from similar events): "
_VARIES: Final = re.compile(
    r"(?<=[a-z0-9])-[bcdfghjklmnpqrstvwxz2456789]{5}\b"  # the generated end of a pod's name
    r"|\b(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|[0-9a-f]{8}-[0-9a-f-]{27}|sha256:[0-9a-f]{8,}|[0-9a-f]{7,}"
    r"|\d+(?:\.\d+)?(?:[kMGT]i?B?|m?s|m|h)?)\b"
)
_GENERATED: Final = re.compile(
    r"(?:(?:-[bcdfghjklmnpqrstvwxz2456789]{6,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}|-\d{1,5})\Z"
)


class InvolvedObject(msgspec.Struct, gc=False, rename="camel"):
    """What an event is about."""

    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""


class _Source(msgspec.Struct, gc=False):
    component: str = ""


class _Series(msgspec.Struct, gc=False, rename="camel"):
    count: int = 0
    last_observed_time: str | None = None


class EventRecord(msgspec.Struct, gc=False, rename="camel"):
    """A core/v1 Event. Newer writers fill ``eventTime``, ``series`` and ``reportingComponent`` instead."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    involved_object: InvolvedObject = msgspec.field(default_factory=InvolvedObject)
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: _Series | None = None
    source: _Source | None = None
    reporting_component: str = ""

    @property
    def last(self) -> datetime:
        """When it was last seen."""
        series = self.series.last_observed_time if self.series else None
        return _time(series or self.last_timestamp or self.event_time or self.metadata.creation_timestamp)

    @property
    def first(self) -> datetime:
        """When it was first seen."""
        return _time(self.first_timestamp or self.event_time or self.metadata.creation_timestamp)

    @property
    def times(self) -> int:
        """How often it happened; an event without a count happened once."""
        return (self.series.count if self.series else 0) or self.count or 1

    @property
    def component(self) -> str:
        """Who wrote it."""
        return (self.source.component if self.source else "") or self.reporting_component


@dataclass(slots=True)
class EventGroup:
    """Events that say the same: the newest one, how often, since when, and of how many objects."""

    newest: EventRecord
    count: int
    first: datetime
    last: datetime
    objects: set[str]


class EventGroups:
    """Repeats folded by owner, type, reason and message (numbers, hashes and addresses ignored)."""

    def __init__(self, owner: Callable[[EventRecord], Hashable]) -> None:
        self._owner = owner
        self._groups: dict[Hashable, EventGroup] = {}

    def add(self, event: EventRecord) -> None:
        """Fold one event into its group."""
        key = (self._owner(event), event.type, event.reason, fold(event.message))
        last, group = event.last, self._groups.get(key)
        if group is None:
            name = event.involved_object.name
            self._groups[key] = EventGroup(event, event.times, event.first, last, {name})
            return
        group.count += event.times
        group.first = min(group.first, event.first)
        group.objects.add(event.involved_object.name)
        if last > group.last:
            group.last, group.newest = last, event

    def newest_first(self) -> list[EventGroup]:
        """The groups by when each was last seen."""
        return sorted(self._groups.values(), key=lambda group: group.last, reverse=True)


def group_events(events: Iterable[EventRecord], *, owner: Callable[[EventRecord], Hashable]) -> list[EventGroup]:
    """All of a few events folded, newest first."""
    groups = EventGroups(owner)
    for event in events:
        groups.add(event)
    return groups.newest_first()


def workload_of(pod: str) -> str:
    """The name of a pod without what controllers add: a template's hash and five letters, or a number."""
    return _GENERATED.sub("", pod)


def fold(message: str) -> str:
    """The message without what differs between repeats."""
    return _VARIES.sub("#", message.removeprefix(_COMBINED))


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else EPOCH
