"""The Prometheus service under fault: one instant query.

The answers are those of Prometheus 3.16, shortened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.http import HttpTarget
from cloud_native_mcp.services.prometheus.client import PrometheusClient
from cloud_native_mcp.services.prometheus.service import Backend, PrometheusService
from cloud_native_mcp.services.prometheus.tools.query import QueryArgs, query
from tests.calls import make_call
from tests.fault_server.behaviours import Behaviour, answer
from tests.faults.service import Ask, FaultyService

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpPool
    from tests.fault_server.wire import Request

UP: dict[str, object] = {
    "status": "success",
    "data": {"resultType": "vector", "result": [{"metric": {"__name__": "up"}, "value": [1, "1"]}]},
}


def connect(url: str, http: HttpPool) -> Ask:
    """The query ``up`` of the tool, on a backend called ``main``."""
    target = HttpTarget("prometheus", "main", url)
    client = PrometheusClient(http.client(target), target, seconds=60.0)
    service = PrometheusService({"main": Backend("main", client, "")}, SegmentedCache())

    async def ask(deadline: Deadline) -> object:
        return await query.run(make_call(service, deadline=deadline), QueryArgs(query="up"))

    return ask


def prelude(_request: Request) -> Behaviour | None:
    """Nothing precedes the query."""
    return None


PROMETHEUS = FaultyService(
    name="prometheus",
    connect=connect,
    good=answer(UP),
    forbidden=answer("no access for this tenant", status=403, kind="text/plain"),
    forbidden_words=("query up", "no access for this tenant"),
    object_missing=answer({"status": "error", "errorType": "not_found", "error": "no such tenant"}, status=404),
    api_missing=answer("404 page not found\n", status=404, kind="text/plain"),
    prelude=prelude,
)
