"""Processor time, memory and latency of lists and gets over the lab's cluster."""

from __future__ import annotations

import statistics
import sys
from typing import Final

from bench.comparison import Workload, measure, median_cpu
from bench.engine.requests import call_request
from bench.engine.run import API_KEY
from bench.processes import Server, free_port, serving
from lab import environment

CLIENTS: Final = 8
CALLS: Final = 400

REQUESTS: Final[dict[str, tuple[str, dict[str, object]]]] = {
    "list pods of a namespace": ("kubernetes_list", {"kind": "pods", "namespace": "shop"}),
    "list pods of all namespaces": ("kubernetes_list", {"kind": "pods"}),
    "get a Deployment, described": ("kubernetes_get", {"kind": "deployment", "name": "web", "namespace": "shop"}),
    "get a Deployment as YAML": (
        "kubernetes_get",
        {"kind": "deployment", "name": "web", "namespace": "shop", "view": "yaml"},
    ),
    "events of a namespace": ("kubernetes_events", {"namespace": "payments"}),
}


def run(*, rounds: int, calls: int = CALLS) -> None:
    """Measure and print the table; the lab must be up."""
    port = free_port()
    environ = {"BENCH_API_KEY": API_KEY, "KUBECONFIG_ADMIN": str(environment().kubeconfig_admin)}
    command = [sys.executable, "-m", "bench.kubernetes.our_server", str(port)]
    with serving("ours", command, port, environ=environ) as server:
        results = measure([server], [_workload(server, name, calls) for name in REQUESTS], rounds=rounds)
        peak = server.peak_rss_mb()
    print(f"{CLIENTS} clients, the lab's scene, {rounds} rounds of {calls} calls; peak memory {peak:.0f} MB")
    print("workload | µs of processor | bytes | p50 ms | p99 ms")
    for name, by_server in results.items():
        rows = by_server["ours"]
        p50, p99 = (statistics.median(getattr(row, key) for row in rows) for key in ("p50_ms", "p99_ms"))
        print(f"{name} | {median_cpu(rows):.0f} | {rows[-1].bytes:.0f} | {p50:.1f} | {p99:.1f}")


def _workload(server: Server, name: str, calls: int) -> Workload:
    tool, arguments = REQUESTS[name]
    request = call_request(f"127.0.0.1:{server.port}", tool, arguments, {"X-API-Key": API_KEY})
    return Workload(name, {server.name: [request]}, CLIENTS, {server.name: calls})
