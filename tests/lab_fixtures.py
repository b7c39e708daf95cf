"""The lab, for every test that names it: brought up once, shared by all tests, and left running."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab import LabEnv, environment

UP_SECONDS = 900.0
"""Long enough to build what is missing; a lab that is up answers at once."""
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def lab() -> LabEnv:
    """The lab in the default state folder. Its own lock lets one worker bring it up while the others wait."""
    command = [sys.executable, "-m", "lab", "up", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=UP_SECONDS, check=False)
    assert done.returncode == 0, f"the lab did not come up: {done.stderr[-2000:]}"
    return environment()
