"""Objects of custom kinds that say they are not ready.

Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, look_at
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Condition
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

MOST_KINDS: Final = 100
"""Custom kinds that are read."""
MOST_OBJECTS: Final = 2_000
"""Objects read of each."""
ShapeT = TypeVar("ShapeT")
_NoObject = str | int | float | bool | list[object] | None
"""What a custom kind may hold where others have an object."""
_GOOD: Final = frozenset({"Ready", "Synced", "Available", "Healthy", "Accepted", "Programmed"})
_BAD: Final = frozenset({"Degraded", "Stalled", "Failed"})
_PHASES: Final = frozenset({"Failed", "Error", "Degraded"})
_HEALTH: Final = frozenset({"Degraded", "Missing"})


class _Health(msgspec.Struct, gc=False):
    status: object = ""


class _Status(msgspec.Struct, gc=False):
    # Custom kinds may hold anything under these names.
    conditions: object = None
    phase: object = ""
    health: object = None


class _Spec(msgspec.Struct, gc=False):
    suspend: object = None


class Custom(msgspec.Struct, gc=False):
    """An object of any kind, as far as it may tell that it is not well."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _Spec | _NoObject = None
    status: _Status | _NoObject = None


async def custom(survey: Survey) -> list[Finding]:
    """Every custom object that says it is not ready, of at most `MOST_KINDS` kinds."""
    reader = survey.reader
    resources = await _kinds(survey)
    if len(resources) > MOST_KINDS:
        reader.notes.append(f"custom: {MOST_KINDS} of {len(resources)} kinds were looked at")
    kinds = {kind_of(one): one for one in resources[:MOST_KINDS]}
    await reader.prepare(kinds)
    found: list[Finding] = []
    for kind, resource in kinds.items():
        async for one in unhurried(await reader.optional(kind, "custom")):
            found += custom_findings(resource, one)
    return found


def kind_of(resource: Resource) -> Kind[Custom]:
    """How objects of a custom kind are read."""
    return Kind(resource.group, resource.kind, Custom, version=resource.version, most=MOST_OBJECTS)


async def _kinds(survey: Survey) -> Sequence[Resource]:
    """Custom kinds that have a status, each in the version its server prefers."""
    catalogue = await survey.reader.client.discovery.catalogue(survey.reader.deadline)
    found: dict[tuple[str, str], Resource] = {}
    for one in catalogue.resources:
        if one.builtin or "list" not in one.verbs or "status" not in one.subresources:
            continue
        if one.namespaced or survey.whole_cluster:
            found.setdefault((one.group, one.kind), one)
    return list(found.values())


def custom_findings(resource: Resource, one: Custom) -> Iterator[Finding]:
    """What an object says is wrong with it: conditions first, else its health or phase."""
    ref = Ref(resource.kind, one.metadata.namespace, one.metadata.name)
    status = one.status if isinstance(one.status, _Status) else _Status()
    conditions = _as(status.conditions, list[Condition]) if status.conditions else []
    severity = "info" if isinstance(one.spec, _Spec) and one.spec.suspend is True else "warning"
    call = look_at(ref, kind=resource.display)
    bad = [
        c for c in conditions if (c.type in _GOOD and c.status == "False") or (c.type in _BAD and c.status == "True")
    ]
    if bad:
        first = bad[0]
        evidence = f"status.conditions[{first.type}]: {first.status}, {first.reason}: {first.message}"
        cause = ", ".join(f"{one.type} is {one.status}{f' ({one.reason})' if one.reason else ''}" for one in bad)
        yield Finding(severity, "not_ready_custom", ref, cause, evidence, call, first.since)
        return
    health = _as(status.health, _Health).status
    if isinstance(health, str) and health in _HEALTH:
        yield Finding(severity, "not_ready_custom", ref, f"its health is {health}", "status.health.status", call)
    elif isinstance(status.phase, str) and status.phase in _PHASES:
        yield Finding(severity, "not_ready_custom", ref, f"its phase is {status.phase}", "status.phase", call)


def _as(value: object, shape: type[ShapeT]) -> ShapeT:
    """The value in that shape, or an empty one when it has another."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return shape()
