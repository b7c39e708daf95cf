"""Settings of logs and metrics."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cloud_native_mcp.contract.configuration import Section

Level = Literal["debug", "info", "warning", "error"]


class LoggingConfig(Section):
    """What is logged, on standard error."""

    level: Level = Field(default="info", description="Least level that is logged.")
    format: Literal["text", "json"] = Field(default="text", description="One line of text or one JSON object a record.")
    levels: dict[str, Level] = Field(
        default={},
        description="Level by logger name, e.g. `cloud_native_mcp.upstream: debug`; holds below it too. Without an "
        "entry the protocol library (`mcp`, `sse_starlette`) logs warnings only: at `debug` it shows arguments.",
    )


class TelemetryConfig(Section):
    """What the server measures of itself."""

    metrics: bool = Field(default=True, description="Whether `/metrics` is served.")
    metrics_open: bool = Field(default=False, description="Whether `/metrics` is served without authentication.")
