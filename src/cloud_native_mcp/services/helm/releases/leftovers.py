"""What stays in a cluster when a release goes, though it came with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, metadata_page
from cloud_native_mcp.contract.json_values import as_list, as_str, dig
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.helm.releases.live import Live

_MOST = 500


async def left_behind(client: KubernetesClient, live: Sequence[Live], *, deadline: Deadline) -> list[tuple[str, str]]:
    """Claims that StatefulSets made, with the reason why they stay; what may not be listed is said to be unknown."""
    found: list[tuple[str, str]] = []
    claims = await client.discovery.find("", "v1", "PersistentVolumeClaim", deadline=deadline)
    for one in live:
        templates = as_list(dig(one.document.object, "spec", "volumeClaimTemplates"))
        if one.document.kind != "StatefulSet" or not templates or claims is None:
            continue
        if as_str(dig(one.document.object, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")) == "Delete":
            continue
        try:
            page = await metadata_page(client, claims, ListQuery(one.namespace, limit=_MOST), deadline=deadline)
        except BackendError as error:
            found.append((f"claims of {one.label}", f"not read: {error.code}"))
            continue
        names = "|".join(re.escape(as_str(dig(template, "metadata", "name"))) for template in templates)
        made = re.compile(rf"(?:{names})-{re.escape(one.document.name)}-\d+")
        found += [
            (f"PersistentVolumeClaim {one.namespace}/{item.metadata.name}", f"made by {one.label}, holds its data")
            for item in page.items
            if made.fullmatch(item.metadata.name)
        ]
    return found
