"""Our server with the fixture tools: open, or with callers known, their rights judged and their calls recorded.

``python -m bench.trust.server PORT open|key|token``; the key is read from ``BENCH_API_KEY``, the issuer's address from
``BENCH_ISSUER``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from bench.engine import services
from bench.ours import serve
from cloud_native_mcp.audit.config import AuditConfig
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.config.settings import Settings
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.routing.permissions.config import PermissionsConfig
from cloud_native_mcp.transport.config import ServerConfig

if TYPE_CHECKING:
    from pathlib import Path

AUDIENCE: Final = "bench"
_ROLES: Final = {
    "roles": {
        "some": {"allow": [{"services": ["kubernetes"], "effects": ["read"]}, {"effects": ["write"]}]},
        "quiet": {"deny": [{"tools": ["*_secret*"]}]},
    },
    "bindings": [{"roles": ["some"], "groups": ["bench"]}, {"roles": ["quiet"], "principals": ["*"]}],
}


def settings(port: int, way: str, folder: Path) -> Settings:
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


if __name__ == "__main__":
    asyncio.run(serve(partial(settings, int(sys.argv[1]), sys.argv[2])))
