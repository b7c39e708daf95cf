"""Settings of the cache."""

from __future__ import annotations

from pydantic import Field

from cloud_native_mcp.contract.configuration import Section


class SegmentConfig(Section):
    """How much one segment of the cache keeps, and for how long."""

    max_entries: int = Field(
        default=1_000, ge=0, description="Answers kept; beyond it the least recently used one goes."
    )
    max_bytes: int = Field(default=32_000_000, ge=0, description="Bytes kept, where the size of answers is known.")
    ttl_factor: float = Field(
        default=1.0, ge=0, le=60, description="Scales how long answers are kept (seconds to a minute); 0 keeps none."
    )


class CacheConfig(SegmentConfig):
    """How long answers of backends are kept, and how many. The sizes hold for each segment."""

    enabled: bool = Field(
        default=True,
        description="Whether answers are kept at all; without it equal reads at the same time still share a request.",
    )
    segments: dict[str, SegmentConfig] = Field(
        default={},
        description="Other bounds for one segment, by its name as `cnmcp_cache_entries` on `/metrics` shows.",
    )
