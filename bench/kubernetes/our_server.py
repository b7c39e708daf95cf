"""Our server over the lab, as it is deployed: ``python -m bench.kubernetes.our_server PORT``.

The API key is read from ``BENCH_API_KEY``, the cluster from ``KUBECONFIG_ADMIN``,
kinds to be kept by a watch from ``WATCHED_KINDS`` (with commas).
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from cloud_native_mcp.app import App
from cloud_native_mcp.config.sources import load
from cloud_native_mcp.doors import http_server


async def serve(port: int) -> None:
    """Serve until SIGTERM."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = {"enabled": True, "targets": {"lab": {"kubeconfig": os.environ["KUBECONFIG_ADMIN"]}}}
        watched = os.environ.get("WATCHED_KINDS", "")
        flags: dict[str, object] = {
            "server": {"port": port},
            "auth": {"api_keys": {"bench": {"key": "env:BENCH_API_KEY"}}},
            "ratelimit": {"requests_per_second": 1e6, "burst": 1_000_000},
            "audit": {"file": str(Path(folder) / "audit.jsonl")},
            "kubernetes": {**cluster, "watched_kinds": [kind for kind in watched.split(",") if kind]},
            "helm": cluster,
        }
        app = App(load(None, {"BENCH_API_KEY": os.environ["BENCH_API_KEY"]}, flags))
        await app.start()
        try:
            await http_server(app).serve()
        finally:
            await app.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
