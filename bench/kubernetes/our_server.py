"""Our server over the lab, as it is deployed: ``python -m bench.kubernetes.our_server PORT``.

The API key is read from ``BENCH_API_KEY``, the cluster from ``KUBECONFIG_ADMIN``,
kinds to be kept by a watch from ``WATCHED_KINDS`` (with commas).
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from bench.ours import serve
from cloud_native_mcp.config.sources import load

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_native_mcp.config.settings import Settings


def settings(port: int, folder: Path) -> Settings:
    """The lab's cluster for both services; the rate limit is out of the load's reach."""
    cluster = {"enabled": True, "targets": {"lab": {"kubeconfig": os.environ["KUBECONFIG_ADMIN"]}}}
    watched = os.environ.get("WATCHED_KINDS", "")
    flags: dict[str, object] = {
        "server": {"port": port},
        "auth": {"api_keys": {"bench": {"key": "env:BENCH_API_KEY"}}},
        "ratelimit": {"requests_per_second": 1e6, "burst": 1_000_000},
        "audit": {"file": str(folder / "audit.jsonl")},
        "kubernetes": {**cluster, "watched_kinds": [kind for kind in watched.split(",") if kind]},
        "helm": cluster,
    }
    return load(None, {"BENCH_API_KEY": os.environ["BENCH_API_KEY"]}, flags)


if __name__ == "__main__":
    asyncio.run(serve(partial(settings, int(sys.argv[1]))))
