"""The objects of a release as they are in the cluster now."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.readiness import readiness_of
from cloud_native_mcp.backends.kubernetes.rollout_state import condition, state_of
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument

AT_ONCE: Final = 8
GROUPED_FROM: Final = 4
"""So many objects of one kind are looked up in one list of what Helm manages there."""
_MANAGED: Final = "app.kubernetes.io/managed-by=Helm"
_PAGE: Final = 250
_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


@dataclass(frozen=True, slots=True)
class Live:
    """A document of the manifest and the object in the cluster.

    ``object`` is None when it is not there; ``unread`` says why it could not be looked for.
    """

    document: ReleaseDocument
    namespace: str
    resource: Resource | None
    object: Mapping[str, object] | None
    unread: str = ""

    @property
    def label(self) -> str:
        """``Deployment shop/web``."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.document.kind} {where}{self.document.name}" if where else self.document.label

    @property
    def missing(self) -> bool:
        """Whether the object is certainly not there."""
        return self.object is None and not self.unread

    @property
    def state(self) -> str:
        """Readiness in a word or two; empty for kinds that have none."""
        return readiness_of(self.resource, self.object) if self.resource is not None and self.object else ""

    @property
    def age(self) -> str:
        """Since when it is there."""
        return age(dig(self.object, "metadata", "creationTimestamp")) if self.object else ""

    @property
    def ready(self) -> bool | None:
        """Whether it does its work; None for kinds of which that cannot be said."""
        if self.resource is None or self.object is None:
            return None
        if self.resource.group == "apps" and self.resource.kind in _WORKLOADS:
            return state_of(self.resource.kind, self.object).phase in {"done", "paused"}
        match (self.resource.group, self.resource.kind):
            case ("batch", "Job"):
                return condition(self.object, "Failed").get("status") != "True"
            case ("", "PersistentVolumeClaim"):
                return dig(self.object, "status", "phase") == "Bound"
            case _:
                found = condition(self.object, "Ready")
                return found.get("status") == "True" if found else None


async def live_objects(
    client: KubernetesClient, namespace: str, documents: Sequence[ReleaseDocument], *, deadline: Deadline
) -> list[Live]:
    """Each document's object, in the order given.

    Args:
        namespace: of the release; documents without a namespace of their own are there.
    """
    placed = await together(*(_place(client, namespace, one, deadline) for one in documents))
    groups: dict[tuple[str, str], list[Live]] = defaultdict(list)
    for one in placed:
        if one.resource is not None:
            groups[one.resource.group_version + one.resource.plural, one.namespace].append(one)
    turns = asyncio.Semaphore(AT_ONCE)
    found: dict[int, Live] = {}

    async def look(group: Sequence[Live]) -> None:
        known = await _listed(client, group[0], turns, deadline) if len(group) >= GROUPED_FROM else {}
        for one, read in zip(
            group, await together(*(_read(client, one, known, turns, deadline) for one in group)), strict=True
        ):
            found[id(one)] = read

    await together(*(look(group) for group in groups.values()))
    return [found.get(id(one), one) for one in placed]


async def _place(client: KubernetesClient, namespace: str, document: ReleaseDocument, deadline: Deadline) -> Live:
    """Where the document's object is to be looked for."""
    if not document.object or not document.name:
        return Live(document, "", None, None, unread="no object with a name")
    group, _, version = document.api_version.rpartition("/")
    resource = await client.discovery.find(group, version, document.kind, deadline=deadline)
    if resource is None:
        return Live(document, "", None, None, unread=f"{document.api_version} {document.kind} is not served here")
    return Live(document, (document.namespace or namespace) if resource.namespaced else "", resource, None)


async def _listed(
    client: KubernetesClient, like: Live, turns: asyncio.Semaphore, deadline: Deadline
) -> dict[str, dict[str, object]]:
    """What Helm manages of that kind there, by name: one page, the rest is read one by one."""
    if like.resource is None:
        return {}
    query = ListQuery(like.namespace or None, label_selector=_MANAGED, limit=_PAGE)
    try:
        async with turns:
            page = await list_page(client, like.resource, query, item=dict[str, object], deadline=deadline)
    except BackendError:
        return {}
    return {as_str(dig(item, "metadata", "name")): item for item in page.items}


async def _read(
    client: KubernetesClient,
    one: Live,
    known: Mapping[str, dict[str, object]],
    turns: asyncio.Semaphore,
    deadline: Deadline,
) -> Live:
    resource, name = one.resource, one.document.name
    if resource is None:
        return one
    if name in known:
        return Live(one.document, one.namespace, resource, known[name])
    try:
        async with turns:
            obj = await client.get(resource, name, namespace=one.namespace or None, deadline=deadline)
    except BackendError as error:
        if error.code == "not_found":
            return one
        if error.code in {"forbidden", DENIED, "unreachable", "timeout", "throttled"}:
            return Live(one.document, one.namespace, resource, None, unread=error.code)
        raise
    return Live(one.document, one.namespace, resource, obj)
