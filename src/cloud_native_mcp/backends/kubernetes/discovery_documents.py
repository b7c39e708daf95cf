"""Wire forms of discovery: the aggregated document, and one document per group for servers that lack it.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.resources import Group, Resource, Subresource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AGGREGATED: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


class _ResponseKind(msgspec.Struct):
    kind: str = ""
    group: str = ""
    version: str = ""


class _Sub(msgspec.Struct, rename="camel"):
    subresource: str
    response_kind: _ResponseKind | None = None
    verbs: list[str] | None = None


class _Res(msgspec.Struct, rename="camel"):
    resource: str
    response_kind: _ResponseKind | None = None
    scope: str = "Namespaced"
    singular_resource: str = ""
    verbs: list[str] | None = None
    short_names: list[str] | None = None
    categories: list[str] | None = None
    subresources: list[_Sub] | None = None


class _Version(msgspec.Struct):
    version: str
    resources: list[_Res] | None = None
    freshness: str = "Current"


class _Meta(msgspec.Struct):
    name: str = ""


class _Group(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)
    versions: list[_Version] | None = None


class AggregatedList(msgspec.Struct):
    """``APIGroupDiscoveryList``; another ``kind`` means that the server knows only the older form."""

    kind: str = ""
    items: list[_Group] | None = None


class _GroupVersion(msgspec.Struct):
    version: str = ""


class _LegacyGroup(msgspec.Struct, rename="camel"):
    name: str = ""
    versions: list[_GroupVersion] | None = None
    preferred_version: _GroupVersion | None = None


class LegacyGroups(msgspec.Struct):
    """``APIGroupList`` of ``/apis``, or ``APIVersions`` of ``/api``."""

    groups: list[_LegacyGroup] | None = None
    versions: list[str] | None = None


class _LegacyResource(msgspec.Struct, rename="camel"):
    name: str
    kind: str = ""
    singular_name: str = ""
    namespaced: bool = False
    verbs: list[str] | None = None
    short_names: list[str] | None = None
    categories: list[str] | None = None


class LegacyResources(msgspec.Struct):
    """``APIResourceList`` of one group and version; subresources are listed as ``plural/name``."""

    resources: list[_LegacyResource] | None = None


def read_aggregated(items: Iterable[_Group]) -> tuple[list[Group], list[Resource]]:
    """Groups and resources of aggregated documents."""
    groups: list[Group] = []
    resources: list[Resource] = []
    for item in items:
        versions = item.versions or []
        stale = any(version.freshness == "Stale" for version in versions)
        groups.append(Group(item.metadata.name, tuple(version.version for version in versions), stale))
        for version in versions:
            resources += [_resource(item.metadata.name, version.version, entry) for entry in version.resources or ()]
    return groups, resources


def _resource(group: str, version: str, entry: _Res) -> Resource:
    return Resource(
        group=group,
        version=version,
        kind=entry.response_kind.kind if entry.response_kind else "",
        plural=entry.resource,
        singular=entry.singular_resource,
        short_names=tuple(entry.short_names or ()),
        namespaced=entry.scope == "Namespaced",
        verbs=frozenset(entry.verbs or ()),
        categories=tuple(entry.categories or ()),
        subresources={
            sub.subresource: Subresource(
                sub.response_kind.kind if sub.response_kind else "", frozenset(sub.verbs or ())
            )
            for sub in entry.subresources or ()
        },
    )


def read_legacy_groups(core: LegacyGroups, named: LegacyGroups) -> list[Group]:
    """Groups with their preferred version first."""
    groups = [Group("", tuple(core.versions or ("v1",)))]
    for item in named.groups or ():
        preferred = item.preferred_version.version if item.preferred_version else ""
        versions = sorted((entry.version for entry in item.versions or ()), key=lambda version: version != preferred)
        groups.append(Group(item.name, tuple(versions)))
    return groups


def read_legacy_resources(group: str, version: str, document: LegacyResources) -> Sequence[Resource]:
    """Resources of one group and version, each with its subresources."""
    entries = document.resources or []
    subresources: dict[str, dict[str, Subresource]] = {}
    for entry in entries:
        plural, slash, name = entry.name.partition("/")
        if slash:
            subresources.setdefault(plural, {})[name] = Subresource(entry.kind, frozenset(entry.verbs or ()))
    return [
        Resource(
            group=group,
            version=version,
            kind=entry.kind,
            plural=entry.name,
            singular=entry.singular_name,
            short_names=tuple(entry.short_names or ()),
            namespaced=entry.namespaced,
            verbs=frozenset(entry.verbs or ()),
            categories=tuple(entry.categories or ()),
            subresources=subresources.get(entry.name, {}),
        )
        for entry in entries
        if "/" not in entry.name
    ]
