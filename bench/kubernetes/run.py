"""Kubernetes tools against two servers from npm: processor time, bytes and memory on one cluster, in turn."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from bench.comparison import Workload, measure, median_cpu, paired_ratio
from bench.kubernetes import cluster, watched
from bench.kubernetes.answers import cursor_in, text_of
from bench.kubernetes.peers import GO, NODE, OURS, all_servers, request
from bench.kubernetes.workloads import WHOLE_WALK, Compared, workloads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.comparison import Measured
    from bench.processes import Server

CLIENTS: Final = 8
CALLS: Final = 200
WALK_LIMIT: Final = 1 / 4
"""Processor time of walking to the last cursor, as a share of the Go server's one big answer."""
MEMORY_MB: Final = 250
"""Resident memory under load that is fine whatever the Go server takes."""


def run(*, rounds: int, calls: int = CALLS, pods: int = cluster.LARGE_PODS) -> bool:
    """Measure, print the tables, and tell whether the limits were kept; the lab must be up.

    Args:
        pods: pods of the large namespace, beside the 59 of the small one.
    """
    cluster.prepare(pods)
    asked = workloads(cluster.small_pod())
    with all_servers() as servers:
        at_rest = {server.name: server.rss_mb() for server in servers}
        sizes = {name: _sizes(servers, one) for name, one in asked.items()}
        results = {name: _measure(servers, name, one, rounds, calls) for name, one in asked.items()}
        walks = [_walk(servers) for _ in range(rounds)]
        peaks = {server.name: server.peak_rss_mb() for server in servers}
    print(f"{pods + cluster.SMALL_PODS} pods, {CLIENTS} clients, {rounds} interleaved rounds")
    print("workload | processor ms: ours, go, node | ours/go | limit | answer bytes: ours, go, node")
    kept = [_row(name, one, results[name], sizes[name]) for name, one in asked.items()]
    kept.append(_walk_row(walks))
    kept.append(_memory_row(at_rest, peaks))
    kept.append(watched.run(rounds=rounds, calls=max(2, calls // 20)))
    return all(kept)


def _sizes(servers: Sequence[Server], one: Compared) -> dict[str, int]:
    """Bytes of text of each server's answer; an error fails the run."""
    return {
        server.name: len(text_of(server, request(server, *one.questions[server.name])).encode())
        for server in servers
        if server.name in one.questions
    }


def _measure(servers: Sequence[Server], name: str, one: Compared, rounds: int, calls: int) -> dict[str, list[Measured]]:
    able = [server for server in servers if server.name in one.questions]
    requests = {server.name: [request(server, *one.questions[server.name])] for server in able}
    counts = {server.name: max(2, round(calls * one.share[server.name])) for server in able}
    return measure(able, [Workload(name, requests, CLIENTS, counts)], rounds=rounds)[name]


def _walk(servers: Sequence[Server]) -> dict[str, float]:
    """Processor milliseconds of seeing every pod of the cluster once: pages of ours, one answer of the others."""
    by_name = {server.name: server for server in servers}
    ours, go = by_name[OURS], by_name[GO]
    before = ours.cpu_seconds()
    cursor = ""
    while True:
        arguments: dict[str, object] = {"kind": "pods", "limit": 500, **({"cursor": cursor} if cursor else {})}
        cursor = cursor_in(text_of(ours, request(ours, "kubernetes_list", arguments)))
        if not cursor:
            break
    walked = ours.cpu_seconds() - before
    before = go.cpu_seconds()
    text_of(go, request(go, "pods_list", {}))
    return {OURS: walked * 1e3, GO: (go.cpu_seconds() - before) * 1e3}


def _row(name: str, one: Compared, measured: Mapping[str, list[Measured]], sizes: Mapping[str, int]) -> bool:
    other = GO if GO in measured else NODE
    ratio = paired_ratio(measured[OURS], measured[other])
    times = ", ".join(f"{median_cpu(measured[s]) / 1e3:.1f}" if s in measured else "-" for s in (OURS, GO, NODE))
    shown = ", ".join(str(sizes.get(s, "-")) for s in (OURS, GO, NODE))
    print(f"{name} | {times} | {ratio:.3f} | {one.limit:.3f} | {shown}")
    smallest = all(sizes[OURS] <= size for size in sizes.values())
    within = one.tokens is None or sizes[OURS] / 4 <= one.tokens
    return ratio <= one.limit and smallest and within


def _walk_row(walks: Sequence[Mapping[str, float]]) -> bool:
    ratio = statistics.median(walk[OURS] / walk[GO] for walk in walks)
    ours, go = (statistics.median(walk[name] for walk in walks) for name in (OURS, GO))
    print(f"{WHOLE_WALK} | {ours:.0f}, {go:.0f}, - | {ratio:.3f} | {WALK_LIMIT:.3f} | -")
    return ratio <= WALK_LIMIT


def _memory_row(at_rest: Mapping[str, float], peaks: Mapping[str, float]) -> bool:
    figures = ", ".join(f"{name} {at_rest[name]:.0f} → {peaks[name]:.0f}" for name in (OURS, GO, NODE))
    print(f"memory at rest → under load, MB: {figures}")
    return peaks[OURS] <= max(peaks[GO], MEMORY_MB)
