"""API servers for tests that need none of the lab: scripted answers, in the words of API server 1.37."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.upstream.pool import Pool
from tests.fault_server.behaviours import answer
from tests.fault_server.server import FaultServer, fault_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request

NOT_FOUND = answer("404 page not found\n", status=404, kind="text/plain")


def soon() -> Deadline:
    """A deadline that no test reaches."""
    return Deadline.after(10)


def entry(plural: str, kind: str, *, short: tuple[str, ...] = (), namespaced: bool = True) -> dict[str, object]:
    """A resource in an aggregated discovery document."""
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "", "kind": kind},
        "scope": "Namespaced" if namespaced else "Cluster",
        "singularResource": kind.lower(),
        "verbs": ["get", "list"],
        "shortNames": list(short),
        "subresources": [{"subresource": "status", "responseKind": {"kind": kind}, "verbs": ["get"]}],
    }


def group(name: str, **versions: list[dict[str, object]]) -> dict[str, object]:
    """A group in an aggregated discovery document."""
    listed = [{"version": version, "resources": resources} for version, resources in versions.items()]
    return {"metadata": {"name": name}, "versions": listed}


def aggregated(*groups: dict[str, object]) -> dict[str, object]:
    """An aggregated discovery document."""
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": list(groups)}


def routes(table: Mapping[str, Behaviour]) -> Callable[[Request], Behaviour]:
    """Answers by path; other paths are unknown to the server."""
    return lambda request: table.get(request.path, NOT_FOUND)


@contextlib.asynccontextmanager
async def cluster(choose: Callable[[Request], Behaviour]) -> AsyncGenerator[tuple[KubernetesClient, FaultServer]]:
    """A client of a scripted API server."""
    pool = Pool()
    try:
        async with fault_server(choose=choose) as server:
            access = ClusterAccess(server=server.url, namespace="here")
            yield KubernetesClient(name="main", access=access, http=pool, cache=SegmentedCache()), server
    finally:
        await pool.close()
