"""What the cluster makes of the objects of a manifest: a dry run of each, as Helm would apply it.

Helm's own dry run sends no object, so that a field of a wrong type passes it.
https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.diff import unified
from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.helm.releases.live import live_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.helm.releases.live import Live
    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument

MANAGER: Final = "helm"
"""The field manager of Helm 4."""
AT_ONCE: Final = 8
_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
_OWNER: Final = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One object as it is, and as it would be; ``problem`` is the cluster's refusal."""

    live: Live
    after: Mapping[str, object] | None = None
    problem: str = ""

    def difference(self, *, digest: Callable[[bytes], str], context: int) -> str:
        """A unified diff from what is to what would be; empty when nothing that a manifest sets differs."""
        if self.after is None or self.live.object is None:
            return ""
        return unified(self.live.object, self.after, digest=digest, context=context, titles=("live", "manifest"))


async def rehearse(
    client: KubernetesClient,
    release: str,
    namespace: str,
    documents: Sequence[ReleaseDocument],
    *,
    force: bool,
    deadline: Deadline,
) -> list[Rehearsed]:
    """Each object, in the order given; one refusal stops no other.

    Args:
        force: take over fields that others manage, as client-side apply does.
    """
    live = await live_objects(client, namespace, documents, deadline=deadline)
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(live: Live) -> Rehearsed:
        async with turns:
            return await _rehearsed(client, release, namespace, live, force=force, deadline=deadline)

    return await together(*(one(each) for each in live))


async def _rehearsed(
    client: KubernetesClient, release: str, namespace: str, live: Live, *, force: bool, deadline: Deadline
) -> Rehearsed:
    if live.resource is None or live.unread:
        return Rehearsed(live, problem=live.unread)
    if owner := _other_owner(live.object, release, namespace):
        return Rehearsed(live, problem=f"ownership_conflict: {owner}")
    try:
        written = await writes.patch(
            client,
            live.resource,
            live.document.name,
            _as_applied(live, release, namespace),
            kind="apply",
            namespace=live.namespace or None,
            dry_run=True,
            force=force,
            manager=MANAGER,
            deadline=deadline,
        )
    except ToolError as error:
        return Rehearsed(live, problem=f"{error.code}: {error.text}")
    return Rehearsed(live, after=written.object)


def _as_applied(live: Live, release: str, namespace: str) -> dict[str, object]:
    """The document with what Helm adds to it: its namespace, and the marks of the release."""
    metadata = as_dict(live.document.object.get("metadata"))
    owner = dict(zip(_OWNER, (release, namespace), strict=True))
    metadata["labels"] = {**as_dict(metadata.get("labels")), _MANAGED_BY: "Helm"}
    metadata["annotations"] = {**as_dict(metadata.get("annotations")), **owner}
    if live.namespace:
        metadata["namespace"] = live.namespace
    return {**live.document.object, "metadata": metadata}


def _other_owner(obj: Mapping[str, object] | None, release: str, namespace: str) -> str:
    """Why Helm will not take an object that is there over into this release; empty when it is the release's own."""
    if obj is None:
        return ""
    name, where = (as_str(dig(obj, "metadata", "annotations", key)) for key in _OWNER)
    if not name:
        return "it is there already and belongs to no release"
    return "" if (name, where) == (release, namespace) else f"it belongs to release {name} in namespace {where}"
