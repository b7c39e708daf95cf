"""Settings of rate and concurrency limits."""

from __future__ import annotations

from pydantic import Field

from cloud_native_mcp.contract.configuration import Section


class RateLimitConfig(Section):
    """How many requests and calls one caller, and all callers together, may make."""

    enabled: bool = Field(default=True, description="Whether requests per caller are limited.")
    requests_per_second: float = Field(default=50.0, gt=0, description="Requests a second per principal, sustained.")
    burst: int = Field(default=100, ge=1, description="Requests a principal may make at once after a pause.")
    failures_per_second: float = Field(
        default=1.0, gt=0, description="Failed authentications a second per peer (address, or IPv6 /64), sustained."
    )
    failure_burst: int = Field(default=20, ge=1, description="Failed authentications a peer may make at once.")
    max_callers: int = Field(
        default=10_000, ge=1, description="Callers remembered; beyond it the one idle for longest is forgotten."
    )
    max_concurrent_calls: int = Field(default=64, ge=1, description="Tool calls running at the same time.")
    max_queued_calls: int = Field(default=256, ge=0, description="Tool calls waiting for one to end; more are refused.")
