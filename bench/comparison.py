"""Interleaved measurement of several servers, and the table of their ratios."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.http_load import run_load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.processes import Server


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of request: per server its requests, with how many clients and calls a round."""

    name: str
    requests: Mapping[str, Sequence[bytes]]
    clients: int
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one workload on one server."""

    cpu_us: float
    bytes: float
    p50_ms: float
    p99_ms: float


def measure(
    servers: Sequence[Server], workloads: Sequence[Workload], *, rounds: int
) -> dict[str, dict[str, list[Measured]]]:
    """Rounds of every workload, the servers in turn, after one uncounted round: results by workload and server."""
    results: dict[str, dict[str, list[Measured]]] = {w.name: {s.name: [] for s in servers} for w in workloads}
    for turn in range(rounds + 1):
        for workload in workloads:
            for server in servers if turn % 2 else reversed(servers):
                measured = _round(server, workload)
                if turn:
                    results[workload.name][server.name].append(measured)
    return results


def median_cpu(rounds: Sequence[Measured]) -> float:
    """Median processor microseconds of one call."""
    return statistics.median(m.cpu_us for m in rounds)


def paired_ratio(ours: Sequence[Measured], theirs: Sequence[Measured]) -> float:
    """Median over the rounds of our processor time per call divided by theirs."""
    return statistics.median(a.cpu_us / b.cpu_us for a, b in zip(ours, theirs, strict=True))


def _round(server: Server, workload: Workload) -> Measured:
    calls = workload.calls[server.name]
    before = server.cpu_seconds()
    load = asyncio.run(run_load(server.port, workload.requests[server.name], clients=workload.clients, calls=calls))
    cpu = server.cpu_seconds() - before
    return Measured(
        cpu_us=cpu / load.calls * 1e6,
        bytes=load.bytes / load.calls,
        p50_ms=load.percentile(0.5) * 1e3,
        p99_ms=load.percentile(0.99) * 1e3,
    )
