"""A call on a server that knows its callers, judges their rights and records what they do, against one that is open."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Final

from bench.comparison import Workload, measure, median_cpu, paired_ratio
from bench.engine.requests import call_request
from bench.processes import free_port, serving
from bench.trust.issuer import issuer

if TYPE_CHECKING:
    from bench.processes import Server

CLIENTS: Final = 16
CALLS: Final = 4_000
API_KEY: Final = "bench-key-0123456789abcdef"
WAYS: Final = ("open", "key", "token")
_NAMES: Final = {
    "key": "API key, roles, audit file",
    "token": "token of an issuer, roles, audit file",
}


def run(*, rounds: int, calls: int = CALLS) -> bool:
    """Measure and print the table; no limit is set."""
    with contextlib.ExitStack() as stack:
        url, token = stack.enter_context(issuer())
        servers = [stack.enter_context(_server(way, url)) for way in WAYS]
        headers = {"open": {}, "key": {"X-API-Key": API_KEY}, "token": {"Authorization": f"Bearer {token}"}}
        asked = {s.name: [_call(s, headers[s.name])] for s in servers}
        workload = Workload("tools/call", asked, CLIENTS, dict.fromkeys(WAYS, calls))
        results = measure(servers, [workload], rounds=rounds)["tools/call"]
    print(f"tools/call, {CLIENTS} clients, {rounds} interleaved rounds; open: {median_cpu(results['open']):.0f} µs")
    print("callers | µs | ratio to open")
    for way, name in _NAMES.items():
        print(f"{name} | {median_cpu(results[way]):.0f} | {paired_ratio(results[way], results['open']):.2f}")
    return True


def _call(server: Server, headers: dict[str, str]) -> bytes:
    return call_request(f"127.0.0.1:{server.port}", "kubernetes_list", {"kind": "pods", "namespace": "shop"}, headers)


def _server(way: str, url: str) -> contextlib.AbstractContextManager[Server]:
    port = free_port()
    command = [sys.executable, "-m", "bench.trust.server", str(port), way]
    return serving(way, command, port, environ={"BENCH_API_KEY": API_KEY, "BENCH_ISSUER": url})
