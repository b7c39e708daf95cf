"""Which test carries which promise, as the collection of all tests tells it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from tests.meta.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path


class Proof(msgspec.Struct, frozen=True):
    """One test that carries a promise."""

    test: str
    promise: str
    service: str | None
    skipped: bool


def collect(answer: Path) -> list[Proof]:
    """Collects all tests in a process of its own, so that it does not matter which ones this run selects."""
    options = ("-m", "pytest", "--collect-only", "-qq", "-p", "tests.meta.proof_collector", "-p", "no:cacheprovider")
    command = [sys.executable, *options, "--proofs", str(answer), "tests"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return msgspec.json.decode(answer.read_bytes(), type=list[Proof])
