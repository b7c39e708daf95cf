"""``python -m bench [engine|kubernetes|helm|trust]``: run benchmarks, print tables; exit 1 when a limit is missed."""

from __future__ import annotations

import argparse
import sys

from bench.engine import run as engine
from bench.helm import run as helm
from bench.kubernetes import cluster
from bench.kubernetes import run as kubernetes
from bench.trust import run as trust


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["engine", "kubernetes", "helm", "trust"], default="engine")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds that count (default 5)")
    parser.add_argument("--calls", type=int, default=0, help="calls a round of the slowest workload (default: its own)")
    pods = cluster.LARGE_PODS
    parser.add_argument(
        "--pods", type=int, default=pods, help=f"kubernetes: pods of the large namespace (default {pods})"
    )
    options = parser.parse_args(arguments)
    if options.what == "kubernetes":
        calls = options.calls or kubernetes.CALLS
        return 0 if kubernetes.run(rounds=options.rounds, calls=calls, pods=options.pods) else 1
    if options.what == "helm":
        return 0 if helm.run(rounds=options.rounds, calls=options.calls or helm.CALLS) else 1
    if options.what == "trust":
        return 0 if trust.run(rounds=options.rounds, calls=options.calls or trust.CALLS) else 1
    return 0 if engine.run(rounds=options.rounds, calls=options.calls or engine.CALLS) else 1


if __name__ == "__main__":
    sys.exit(main())
