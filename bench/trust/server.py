"""Our server with the fixture tools: open, or with callers known, their rights judged and their calls recorded.

``python -m bench.trust.server PORT open|key|token``; the key is read from ``BENCH_API_KEY``, the issuer's address from
``BENCH_ISSUER``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.engine import services
from cloud_native_mcp.app import App
from cloud_native_mcp.audit.config import AuditConfig
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.config.settings import Settings
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.doors import http_server
from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.routing.permissions.config import PermissionsConfig
from cloud_native_mcp.transport.config import ServerConfig

AUDIENCE: Final = "bench"
_ROLES: Final = {
    "roles": {
        "some": {"allow": [{"services": ["kubernetes"], "effects": ["read"]}, {"effects": ["write"]}]},
        "quiet": {"deny": [{"tools": ["*_secret*"]}]},
    },
    "bindings": [{"roles": ["some"], "groups": ["bench"]}, {"roles": ["quiet"], "principals": ["*"]}],
}


def settings(port: int, folder: Path, way: str) -> Settings:
    """The same server; ``way`` says how much it wants to know."""
    discovered = services.discovered()
    trusting = way == "open"
    auth: dict[str, object] = {"mode": "none"}
    if way == "key":
        auth = {"api_keys": {"bench": {"key": "env:BENCH_API_KEY", "groups": ["bench"]}}}
    elif way == "token":
        auth = {"issuers": {"bench": {"issuer": os.environ["BENCH_ISSUER"], "audiences": [AUDIENCE]}}}
    return Settings(
        server=ServerConfig(port=port, effects=list(Effect), toolset="extended"),
        auth=AuthConfig.model_validate(auth),
        permissions=PermissionsConfig.model_validate({} if trusting else _ROLES),
        ratelimit=RateLimitConfig(requests_per_second=1e6, burst=1_000_000),
        audit=AuditConfig(enabled=not trusting, file=folder / "audit.jsonl"),
        services=services.configs(discovered),
        discovered=discovered,
    )


async def serve(port: int, way: str) -> None:
    """Serve until SIGTERM."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(settings(port, Path(folder), way))
        await app.start()
        try:
            await http_server(app).serve()
        finally:
            await app.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
