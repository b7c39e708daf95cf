"""What keeping kinds by a watch saves: the same diagnosis by two of our servers, one that asks and one that keeps."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from bench.comparison import Workload, measure, median_cpu, paired_ratio
from bench.kubernetes import cluster
from bench.kubernetes.answers import text_of
from bench.kubernetes.peers import OURS, ours, request

if TYPE_CHECKING:
    from bench.comparison import Measured

KEPT: Final = "kept"
KINDS: Final = (
    *("pods", "events", "nodes", "services", "configmaps", "persistentvolumeclaims", "endpointslices.discovery.k8s.io"),
    *("deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch"),
)
GAIN: Final = 5.0
"""Times faster, in time of an answer, which is what the store was built for."""


def run(*, rounds: int, calls: int) -> bool:
    """Measure, print the rows, and tell whether it is worth it."""
    arguments: dict[str, object] = {"namespace": cluster.LARGE}
    with ours() as live, ours(KEPT, watched=KINDS) as kept:
        requests = {server.name: [request(server, "kubernetes_diagnose", arguments)] for server in (live, kept)}
        texts = {server.name: text_of(server, requests[server.name][0]) for server in (live, kept)}
        workload = Workload("diagnose", requests, 1, dict.fromkeys((OURS, KEPT), calls))
        results = measure([live, kept], [workload], rounds=rounds)["diagnose"]
        memory = f"{live.peak_rss_mb():.0f}, {kept.peak_rss_mb():.0f}"
    gain = statistics.median(a.p50_ms / b.p50_ms for a, b in zip(results[OURS], results[KEPT], strict=True))
    print("diagnose the large namespace | ms: asked, kept | times faster | processor ms: asked, kept | ratio | peak MB")
    times = ", ".join(f"{_median_ms(results[name]):.0f}" for name in (OURS, KEPT))
    cpu = ", ".join(f"{median_cpu(results[name]) / 1e3:.1f}" for name in (OURS, KEPT))
    print(f"- | {times} | {gain:.1f} | {cpu} | {paired_ratio(results[KEPT], results[OURS]):.3f} | {memory}")
    return gain >= GAIN and _findings(texts[OURS]) == _findings(texts[KEPT])


def _median_ms(rounds: list[Measured]) -> float:
    return statistics.median(one.p50_ms for one in rounds)


def _findings(text: str) -> str:
    return text.partition(" of warning")[0]
