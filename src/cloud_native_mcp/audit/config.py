"""Settings of the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from cloud_native_mcp.contract.configuration import Section

FsyncPolicy = Literal["writes", "always", "never"]

DATABASE: Final = Path("~/.local/state/cloud-native-mcp/audit.db")
"""Where records go when nothing else is said."""


class AuditConfig(Section):
    """Where the record of every call goes; to several places at once, when several are given."""

    enabled: bool = Field(default=True, description="Whether calls are recorded. Off, the server warns at start.")
    database: Path | None = Field(
        default=None,
        description="SQLite database to keep records in; made with mode 0600, its folder with 0700. Without any other "
        f"place, `{DATABASE}`.",
    )
    database_keep_days: float = Field(
        default=0, ge=0, le=36_500, description="Days after which records leave the database; 0: never."
    )
    file: Path | None = Field(
        default=None, description="File that JSON lines are appended to; made with mode 0600, its folder with 0700."
    )
    file_max_bytes: int = Field(
        default=0,
        ge=0,
        description="Size at which the file is put aside as `NAME.1` and a new one begun; 0: never, where something "
        "else rotates it.",
    )
    file_keep: int = Field(default=5, ge=1, le=1_000, description="Files put aside that are kept.")
    stdout: bool = Field(
        default=False,
        description="Write JSON lines to standard output as well; for `serve` alone, which leaves it free.",
    )
    fsync: FsyncPolicy = Field(
        default="writes",
        description="When records are forced to disk: before a `write` or `destroy` acts, `always`, or `never`.",
    )
    required: bool = Field(
        default=True,
        description="Whether writes are refused while no place stores their record. Reads always go on.",
    )
    deadline_s: float = Field(
        default=2.0, gt=0, le=30, description="Seconds a write waits for its record to be stored before it is refused."
    )
    sample_reads: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Part of the reads that succeeded to record, evenly by the call's id; refusals and failures are "
        "always recorded.",
    )
    max_argument_bytes: int = Field(
        default=1_000, ge=100, le=100_000, description="Longer arguments are cut in the record, with their digest."
    )

    @property
    def database_path(self) -> Path | None:
        """The database records go to, if any."""
        if self.database is None and (self.file is not None or self.stdout):
            return None
        return (self.database or DATABASE).expanduser()
