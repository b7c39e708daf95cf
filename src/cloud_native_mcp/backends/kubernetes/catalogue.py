"""The kinds one API server offers, and finding one by the names people use."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.names import shortened
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_native_mcp.backends.kubernetes.resources import Group, Resource

_ASKED = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,199}", re.ASCII)
_VERSION = re.compile(r"v[0-9]+(?:(?:alpha|beta)[0-9]+)?", re.ASCII)
_SHOWN_GROUPS: Final = 10


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Groups in the server's order of preference; resources of every version, a group's preferred version first."""

    groups: tuple[Group, ...]
    resources: tuple[Resource, ...]
    _by_name: dict[str, list[Resource]] = field(default_factory=dict[str, "list[Resource]"], repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the resources by every name they have."""
        for resource in self.resources:
            for name in _names(resource):
                self._by_name.setdefault(name, []).append(resource)

    def find(self, group: str, version: str, kind: str) -> Resource | None:
        """The resource of an object's ``apiVersion`` and ``kind``; without a version the preferred one."""
        found = [r for r in self._by_name.get(kind.lower(), ()) if r.group == group and version in {"", r.version}]
        return found[0] if found else None

    def serves(self, resource: Resource) -> bool:
        """Whether this very resource is offered."""
        return any(found == resource for found in self._by_name.get(resource.plural.lower(), ()))

    def resolve(self, text: str, *, field_name: str, where: str) -> Resource:
        """The resource a caller means.

        Taken are a kind, plural, singular or short name, alone or with ``.group``, and ``group/version/Kind``; letter
        case is ignored. The core API wins, then the groups of Kubernetes itself in the server's order.

        Raises:
            InvalidArgument: ``unknown_kind`` with near names, ``ambiguous_kind`` with the groups that have it.
        """
        if not _ASKED.fullmatch(text):
            hint = "use a kind, plural or short name, with .group or as group/version/Kind"
            raise InvalidArgument(field_name, f"{shortened(text)} is not the name of a kind; {hint}")
        found = _one_per_group(self._candidates(text))
        if not found:
            raise self._unknown(text, field_name, where)
        builtin = [resource for resource in found if resource.builtin]
        if builtin:
            return next((resource for resource in builtin if not resource.group), builtin[0])
        if len(found) > 1:
            options = ", ".join(resource.display for resource in found[:_SHOWN_GROUPS])
            raise InvalidArgument(
                field_name,
                f"{shortened(text)} is served by several groups; use one of: {options}",
                code="ambiguous_kind",
            )
        return found[0]

    def _candidates(self, text: str) -> list[Resource]:
        lowered = text.lower()
        if "/" in lowered:
            group_version, _, kind = lowered.rpartition("/")
            group, _, version = group_version.rpartition("/")
            return [
                r
                for r in self._by_name.get(kind, ())
                if (r.group, r.version) == (group, version) or (not version and group_version == r.group)
            ]
        name, dot, group = lowered.partition(".")
        if not dot:
            return self._by_name.get(name, [])
        named = self._by_name.get(name, ())
        version, _, rest = group.partition(".")
        if _VERSION.fullmatch(version):
            return [r for r in named if r.version == version and r.group == rest]
        return [r for r in named if r.group == group]

    def _unknown(self, text: str, field_name: str, where: str) -> InvalidArgument:
        name = text.lower().rpartition("/")[2].partition(".")[0]
        near = [resource.display for match in nearest(name, self._by_name) for resource in self._by_name[match][:2]]
        hint = f"; near: {', '.join(dict.fromkeys(near))}" if near else ""
        stale = ", ".join(group.name for group in self.groups if group.stale)
        gone = f"; APIs that do not answer now: {stale}" if stale else ""
        return InvalidArgument(field_name, f"{where} has no kind {shortened(text)}{hint}{gone}", code="unknown_kind")


def _names(resource: Resource) -> Iterable[str]:
    names = (resource.plural, resource.singular, resource.kind, *resource.short_names)
    return dict.fromkeys(name.lower() for name in names if name)


def _one_per_group(resources: Iterable[Resource]) -> list[Resource]:
    """The first version of each group that has the kind: the server lists the preferred one first."""
    kept: dict[tuple[str, str], Resource] = {}
    for resource in resources:
        kept.setdefault((resource.group, resource.kind), resource)
    return list(kept.values())
