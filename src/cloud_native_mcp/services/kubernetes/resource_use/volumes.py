"""Use of volumes behind claims, as the kubelets of the nodes that mount them report it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity, show_memory, show_share
from cloud_native_mcp.services.kubernetes.resource_use.pods import pods_needs
from cloud_native_mcp.services.kubernetes.resource_use.rows import IDLE_SHARE, NEAR, Row, View, share
from cloud_native_mcp.services.kubernetes.resource_use.summaries import Summaries, summaries_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.resource_use.pods import PodNeeds
    from cloud_native_mcp.services.kubernetes.resource_use.summaries import VolumeStats

_COLUMNS: Final = ("NAMESPACE", "CLAIM", "POD", "NODE", "USED", "CAPACITY", "USED/CAP", "INODES")
Key = tuple[str, str]
"""Namespace and name."""


class _ClaimStatus(msgspec.Struct, gc=False):
    phase: str = ""
    capacity: dict[str, object] | None = None


class _Claim(msgspec.Struct, gc=False):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _ClaimStatus = msgspec.field(default_factory=_ClaimStatus)


@dataclass(frozen=True, slots=True)
class _Mounted:
    """A volume as the kubelet of one pod that mounts it reports it."""

    pod: str
    node: str
    stats: VolumeStats


async def volumes_view(client: KubernetesClient, query: ListQuery, *, deadline: Deadline) -> View:
    """A row for each claim. With a label selector: the claims of the pods it selects.

    Raises:
        ToolError: ``forbidden`` (get on nodes/proxy is needed), ``kubelet_unreachable`` when no kubelet answers.
    """
    nodes = await client.discovery.find("", "v1", "Node", deadline=deadline)
    if nodes is None:
        raise ToolError("unsupported", f"cluster {client.name} serves no nodes")
    pods = [pod for pod in await pods_needs(client, query, deadline=deadline) if pod.claims and pod.node]
    asked = sorted({pod.node for pod in pods})
    summaries = await summaries_of(client, nodes, asked, deadline=deadline)
    mounted = _mounted(pods, summaries)
    claims, failed = await _claims(client, query.namespace, deadline)
    wanted = mounted if query.label_selector else {**dict.fromkeys(claims), **mounted}
    rows = [_row(key, mounted.get(key), claims.get(key)) for key in wanted]
    silent = sum(1 for key in wanted if key not in mounted)
    notes = [f"{len(rows)} claims on {len(asked)} nodes" + (f"; {silent} not reported by a kubelet" if silent else "")]
    shows = frozenset({"near_limit", "idle"})
    return View(_COLUMNS, rows, ("disk",), shows, notes, [*summaries.failed, *failed])


def _mounted(pods: Sequence[PodNeeds], summaries: Summaries) -> dict[Key, _Mounted]:
    """Volumes by claim, of the given pods; one that several pods mount is taken once."""
    known = {pod.key for pod in pods}
    found: dict[Key, _Mounted] = {}
    for node, summary in summaries.found:
        for pod in summary.pods or ():
            if (pod.pod_ref.namespace, pod.pod_ref.name) not in known:
                continue
            for volume in pod.volume or ():
                if volume.pvc_ref is not None:
                    key = (volume.pvc_ref.namespace, volume.pvc_ref.name)
                    found.setdefault(key, _Mounted(pod.pod_ref.name, node, volume))
    return found


async def _claims(
    client: KubernetesClient, namespace: str | None, deadline: Deadline
) -> tuple[Mapping[Key, _Claim], list[str]]:
    resource = await client.discovery.find("", "v1", "PersistentVolumeClaim", deadline=deadline)
    if resource is None:
        return {}, []
    found: dict[Key, _Claim] = {}
    try:
        async for page in list_pages(client, resource, ListQuery(namespace), item=_Claim, deadline=deadline):
            found |= {(claim.metadata.namespace, claim.metadata.name): claim for claim in page.items}
    except ToolError as error:
        return {}, [f"persistentvolumeclaims: {error.code}: {error.text}; only mounted ones are shown"]
    return found, []


def _row(key: Key, mounted: _Mounted | None, claim: _Claim | None) -> Row:
    stats = mounted.stats if mounted else None
    used = stats.used_bytes if stats else None
    given = parse_quantity((claim.status.capacity or {}).get("storage")) if claim else None
    capacity = (stats.capacity_bytes if stats else None) or given
    phase = f"({claim.status.phase})" if claim and claim.status.phase != "Bound" else ""
    inodes, inodes_used = (stats.inodes, stats.inodes_used) if stats else (None, None)
    cells = (
        *key,
        mounted.pod if mounted else phase,
        mounted.node if mounted else "",
        show_memory(used),
        show_memory(capacity),
        show_share(used, capacity),
        show_share(inodes_used, inodes),
    )
    shares = (share(used, capacity), share(inodes_used, inodes))
    fits = {"near_limit"} if any(found is not None and found >= NEAR for found in shares) else set[str]()
    if shares[0] is not None and shares[0] < IDLE_SHARE:
        fits.add("idle")
    return Row(key[1], lambda: cells, {"disk": used}, frozenset(fits))
