"""The Helm service under fault: the held revisions of one release, after discovery.

The answers are those of API server 1.37, shortened.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.services.helm.releases.storage import Storage
from tests.fault_server.behaviours import answer
from tests.faults.kubernetes import KUBERNETES, client_of, refusal

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpPool
    from tests.faults.service import Ask

RECORDS: dict[str, object] = {
    "kind": "PartialObjectMetadataList",
    "apiVersion": "meta.k8s.io/v1",
    "metadata": {"resourceVersion": "7"},
    "items": [
        {
            "metadata": {
                "name": "sh.helm.release.v1.web.v1",
                "namespace": "shop",
                "uid": "5f1d6c3e-0000-4000-8000-000000000001",
                "resourceVersion": "6",
                "creationTimestamp": "2026-11-01T00:00:00Z",
                "labels": {"owner": "helm", "name": "web", "version": "1", "status": "deployed"},
            }
        }
    ],
}


def connect(url: str, http: HttpPool) -> Ask:
    """The history of the release ``web``."""
    cache = SegmentedCache()
    client, storage = client_of(url, http, cache), Storage("secret", cache)

    async def ask(deadline: Deadline) -> object:
        return await storage.history(client, "shop", "web", deadline=deadline)

    return ask


HELM = replace(
    KUBERNETES,
    name="helm",
    connect=connect,
    good=answer(RECORDS),
    forbidden=refusal(
        403,
        "Forbidden",
        'secrets is forbidden: User "viewer" cannot list resource "secrets" in API group "" in the namespace "shop"',
        kind="secrets",
    ),
    forbidden_words=("list", "secrets", "shop"),
)
