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
    from tests.fault_server.wire import Request

_PODS: dict[str, object] = {
    "resource": "pods",
    "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
    "scope": "Namespaced",
    "singularResource": "pod",
    "verbs": ["get", "list"],
    "shortNames": ["po"],
}
DISCOVERY: dict[str, object] = {
    "/api": {
        "kind": "APIGroupDiscoveryList",
        "items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [_PODS]}]}],
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


def connect(url: str, http: HttpPool) -> Ask:
    """A client of the cluster ``main`` that lists the pods of ``shop``."""
    access = ClusterAccess(server=url)
    client = KubernetesClient(name="main", access=access, http=http, cache=SegmentedCache())

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
