"""``python -m bench [engine]``: run the benchmarks and print their tables; exit 1 when a limit is missed."""

from __future__ import annotations

import argparse
import sys

from bench.engine import run as engine


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["engine"], default="engine")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds that count (default 5)")
    options = parser.parse_args()
    return 0 if engine.run(rounds=options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
