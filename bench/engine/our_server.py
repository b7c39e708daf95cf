"""Our server with the fixture tools, as it is deployed: API key, rate limit, audit file and metrics on.

``python -m bench.engine.our_server PORT``; the key is read from ``BENCH_API_KEY``.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING

from bench.engine import services
from bench.ours import serve
from cloud_native_mcp.audit.config import AuditConfig
from cloud_native_mcp.auth.config import ApiKey, AuthConfig
from cloud_native_mcp.config.settings import Settings
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.transport.config import ServerConfig

if TYPE_CHECKING:
    from pathlib import Path


def settings(port: int, folder: Path) -> Settings:
    """Everything on; the rate limit is real but out of the load's reach."""
    discovered = services.discovered()
    return Settings(
        server=ServerConfig(port=port, effects=list(Effect), toolset="extended"),
        auth=AuthConfig(mode=("api_key",), api_keys={"bench": ApiKey(key="env:BENCH_API_KEY")}),
        ratelimit=RateLimitConfig(requests_per_second=1e6, burst=1_000_000),
        audit=AuditConfig(file=folder / "audit.jsonl"),
        services=services.configs(discovered),
        discovered=discovered,
    )


if __name__ == "__main__":
    asyncio.run(serve(partial(settings, int(sys.argv[1]))))
