"""Runs the command line as a process of its own, in an empty home with the sample ledger installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tests.samples.install import announce_ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMAND = [sys.executable, "-m", "cloud_native_mcp"]
PIN = "hunter2-canary"
"""The credential of the ledger's book."""
CONFIGURATION = f"""
plugins: [ledger]
kubernetes: {{enabled: false}}
utilities: {{enabled: false}}
ledger: {{targets: {{main: {{entries: 3, pin: {PIN}}}}}}}
auth: {{api_keys: {{tester: {{key: tester-key-0123456789}}}}}}
audit: {{file: audit.jsonl}}
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        return cast("dict[str, object]", json.loads(self.out))


class Terminal:
    """A working folder with its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "site").mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200", "TERM": "dumb"}
        self.environment |= announce_ledger(folder / "site")

    def configure(self, text: str = CONFIGURATION) -> None:
        (self.folder / "cloud-native-mcp.yaml").write_text(text, encoding="utf-8")

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None, stdin: str = "") -> Ran:
        done = subprocess.run(
            [*COMMAND, *arguments],
            check=False,
            capture_output=True,
            input=stdin,
            text=True,
            timeout=60,
            cwd=self.folder,
            env=self.environment | dict(environment or {}),
        )
        return Ran(done.returncode, done.stdout, done.stderr)
