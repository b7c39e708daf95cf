"""The Kubernetes service under fault: one list of pods as a table, after discovery.

The answers are those of API server 1.37, shortened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.table import table_page
from cloud_native_mcp.cache.store import SegmentedCache
from tests.fault_server.behaviours import Behaviour, answer
from tests.faults.service import Ask, FaultyService

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpPool
    from cloud_native_mcp.contract.service import Cache
    from tests.fault_server.wire import Request


def _kind(plural: str, kind: str) -> dict[str, object]:
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "v1", "kind": kind},
        "scope": "Namespaced",
        "singularResource": kind.lower(),
        "verbs": ["get", "list"],
    }


_SERVED = [_kind("pods", "Pod"), _kind("secrets", "Secret")]
DISCOVERY: dict[str, object] = {
    "/api": {
        "kind": "APIGroupDiscoveryList",
        "items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": _SERVED}]}],
    },
    "/apis": {"kind": "APIGroupDiscoveryList", "items": []},
}
TABLE: dict[str, object] = {
    "kind": "Table",
    "apiVersion": "meta.k8s.io/v1",
    "metadata": {"resourceVersion": "7"},
    "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}],
    "rows": [{"cells": ["web-1"]}],
}


def refusal(status: int, reason: str, message: str, **details: object) -> Behaviour:
    """A Status of an API server."""
    body = {"kind": "Status", "status": "Failure", "message": message, "reason": reason, "code": status}
    return answer({**body, "details": details}, status=status)


def client_of(url: str, http: HttpPool, cache: Cache) -> KubernetesClient:
    """A client of the cluster ``main``."""
    return KubernetesClient(name="main", access=ClusterAccess(server=url), http=http, cache=cache)


def connect(url: str, http: HttpPool) -> Ask:
    """A client that lists the pods of ``shop``."""
    client = client_of(url, http, SegmentedCache())

    async def ask(deadline: Deadline) -> object:
        pods = await client.discovery.resolve("pods", deadline=deadline)
        return (await table_page(client, pods, ListQuery("shop"), deadline=deadline, include="None")).shown()

    return ask


def prelude(request: Request) -> Behaviour | None:
    """Discovery goes on working."""
    return answer(DISCOVERY[request.path]) if request.path in DISCOVERY else None


KUBERNETES = FaultyService(
    name="kubernetes",
    connect=connect,
    good=answer(TABLE),
    forbidden=refusal(
        403,
        "Forbidden",
        'pods is forbidden: User "viewer" cannot list resource "pods" in API group "" in the namespace "shop"',
        kind="pods",
    ),
    forbidden_words=("list", "pods", "shop"),
    object_missing=refusal(404, "NotFound", 'namespaces "shop" not found', kind="namespaces", name="shop"),
    api_missing=answer("404 page not found\n", status=404, kind="text/plain"),
    prelude=prelude,
)
