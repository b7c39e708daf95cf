"""Settings of the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from cloud_native_mcp.contract.configuration import Section

FsyncPolicy = Literal["writes", "always", "never"]


class AuditConfig(Section):
    """Where the record of every call goes."""

    enabled: bool = Field(default=True, description="Whether calls are recorded. Off, the server warns at start.")
    file: Path = Field(
        default=Path("~/.local/state/cloud-native-mcp/audit.jsonl"),
        description="JSON lines are appended here; made with mode 0600, its folder with 0700.",
    )
    fsync: FsyncPolicy = Field(
        default="writes",
        description="When records are forced to disk: before a `write` or `destroy` acts, `always`, or `never`.",
    )
    required: bool = Field(
        default=True, description="Whether writes are refused while no record can be stored. Reads always go on."
    )
    deadline_s: float = Field(
        default=2.0, gt=0, le=30, description="Seconds a write waits for its record to be stored before it is refused."
    )
    max_argument_bytes: int = Field(
        default=1_000, ge=100, le=100_000, description="Longer arguments are cut in the record, with their digest."
    )
