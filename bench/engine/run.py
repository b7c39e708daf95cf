"""Our server against the SDK's low-level server: processor time of a call and of a list, 16 clients, 109 tools."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Final

from bench.comparison import Workload, measure, median_cpu, paired_ratio
from bench.engine.requests import call_request, list_request
from bench.processes import free_port, serving

if TYPE_CHECKING:
    from bench.processes import Server

CLIENTS: Final = 16
CALLS: Final = 64
"""Lists a round of the SDK, the slowest workload; the others make as many more as they are faster."""

LIMITS: Final = {"tools/call": 0.25, "tools/list": 0.02}
"""Our processor time per call, as a share of the SDK's, that must not be exceeded."""

API_KEY: Final = "bench-key-0123456789abcdef"


def run(*, rounds: int, calls: int = CALLS) -> bool:
    """Measure, print the table, and tell whether the limits were kept."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_server(name)) for name in ("ours", "sdk")]
        results = measure(servers, _workloads(servers, calls), rounds=rounds)
    kept = True
    print(f"{CLIENTS} clients, 109 tools, revision 2026-07-28, {rounds} interleaved rounds")
    print("ours with authentication, rate limit, audit and metrics; the SDK's server with none of them")
    print("workload | ours µs | SDK µs | ratio | limit | ours p50/p99 ms | SDK p50/p99 ms")
    for name, by_server in results.items():
        ours, sdk = by_server["ours"], by_server["sdk"]
        ratio = paired_ratio(ours, sdk)
        kept = kept and ratio <= LIMITS[name]
        tails = " | ".join(f"{m[len(m) // 2].p50_ms:.1f}/{m[len(m) // 2].p99_ms:.1f}" for m in (ours, sdk))
        print(f"{name} | {median_cpu(ours):.0f} | {median_cpu(sdk):.0f} | {ratio:.3f} | {LIMITS[name]} | {tails}")
    return kept


def _server(name: str) -> contextlib.AbstractContextManager[Server]:
    port = free_port()
    module = "bench.engine.our_server" if name == "ours" else "bench.engine.sdk_server"
    return serving(name, [sys.executable, "-m", module, str(port)], port, environ={"BENCH_API_KEY": API_KEY})


def _workloads(servers: list[Server], calls: int) -> list[Workload]:
    headers = {"X-API-Key": API_KEY}
    called = {
        s.name: [call_request(f"127.0.0.1:{s.port}", "kubernetes_list", {"kind": "pods", "namespace": "shop"}, headers)]
        for s in servers
    }
    lists = {s.name: [list_request(f"127.0.0.1:{s.port}", headers)] for s in servers}
    return [
        Workload("tools/call", called, CLIENTS, {"ours": 125 * calls, "sdk": 25 * calls}),
        Workload("tools/list", lists, CLIENTS, {"ours": 62 * calls, "sdk": calls}),
    ]
