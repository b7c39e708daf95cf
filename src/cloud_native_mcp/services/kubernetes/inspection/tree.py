"""The tree of one object: owners upward, owned objects downward, and the objects it refers to or is selected by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import PartialObject
from cloud_native_mcp.backends.kubernetes.owners import descendants, owner_chain
from cloud_native_mcp.backends.kubernetes.readiness import readiness_of
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Text
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.services.kubernetes.inspection.links import links_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.backends.kubernetes.owners import Descendant
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

MOST_NODES: Final = 200
_OWNED_KINDS: Final = (
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ControllerRevision"),
    ("batch", "Job"),
    ("", "Pod"),
    ("", "Service"),
    ("", "PersistentVolumeClaim"),
    ("", "ConfigMap"),
    ("", "Secret"),
    ("discovery.k8s.io", "EndpointSlice"),
)
"""Kinds that others usually own; metadata-only lists of them are cheap."""


@dataclass(slots=True)
class _Lines:
    """The lines so far, with room for `MOST_NODES`."""

    lines: list[str] = field(default_factory=list[str])
    left_out: int = 0

    def add(self, depth: int, text: str) -> None:
        """One node of the tree."""
        if len(self.lines) < MOST_NODES:
            self.lines.append("  " * depth + text)
        else:
            self.left_out += 1


async def tree_of(
    client: KubernetesClient, resource: Resource, obj: dict[str, object], *, depth: int, deadline: Deadline
) -> Text:
    """Indented lines ``kind/name  ready  age``; ``>`` marks the object asked for, ``~`` a link that is no ownership."""
    meta = msgspec.convert(obj, PartialObject).metadata
    namespace = meta.namespace or None
    lines = _Lines()
    owners = await owner_chain(client, meta, namespace, deadline=deadline)
    for level, owner in enumerate(reversed(owners)):
        lines.add(level, f"{owner.kind}/{owner.name}{'' if owner.meta else '  (gone or not readable)'}")
    top = len(owners)
    own_age = age(dig(obj, "metadata", "creationTimestamp"))
    lines.add(top, f"> {resource.kind}/{meta.name}  {readiness_of(resource, obj)}  {own_age}".replace("    ", "  "))
    kinds = await _owned_kinds(client, deadline)
    owned = await descendants(client, [meta.uid], kinds, namespace, deadline=deadline)
    _add_owned(lines, owned.found, meta.uid, top + 1, depth)
    for link in await links_of(client, resource, obj, deadline=deadline):
        lines.add(top + 1, f"~ {link}")
    notes = [f"not listed: {why}" for why in owned.failed]
    if not owned.complete:
        notes.append("too many objects to look at all: the tree may lack some")
    if lines.left_out:
        notes.append(f"{lines.left_out} more nodes left out")
    return Text(
        "\n".join([*lines.lines, *notes]), untrusted=True, source=f"tree of {as_str(resource.kind)}/{meta.name}"
    )


def _add_owned(lines: _Lines, found: Sequence[Descendant], uid: str, level: int, depth: int) -> None:
    """Children below their parents, down to ``depth`` levels."""
    if depth == 0:
        return
    for one in found:
        if one.parent_uid == uid:
            lines.add(level, f"{one.resource.kind}/{one.meta.name}  {_meta_state(one.meta)}".rstrip())
            _add_owned(lines, found, one.meta.uid, level + 1, depth - 1)


def _meta_state(meta: ObjectMeta) -> str:
    parts = [age(meta.creation_timestamp)]
    if meta.deletion_timestamp:
        parts.append("deleting")
    if revision := meta.annotations.get("deployment.kubernetes.io/revision"):
        parts.append(f"revision {revision}")
    return "  ".join(parts)


async def _owned_kinds(client: KubernetesClient, deadline: Deadline) -> list[Resource]:
    found = [await client.discovery.find(group, "", kind, deadline=deadline) for group, kind in _OWNED_KINDS]
    return [resource for resource in found if resource is not None and "list" in resource.verbs]
