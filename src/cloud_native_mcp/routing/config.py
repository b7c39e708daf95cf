"""Settings of the call chain."""

from __future__ import annotations

from pydantic import Field

from cloud_native_mcp.contract.configuration import Section


class CallsConfig(Section):
    """How long calls may take, by the timeout class of the tool."""

    quick_timeout_s: float = Field(default=30, gt=0, le=600, description="Deadline of ordinary calls, in seconds.")
    slow_timeout_s: float = Field(default=60, gt=0, le=600, description="Deadline of heavy calls, in seconds.")
    max_timeout_s: float = Field(
        default=615, gt=0, le=3600, description="Cap on every deadline, also of calls that wait on purpose, in seconds."
    )
