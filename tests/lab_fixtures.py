"""The lab, for every test that names it: brought up once, shared by all tests, and left running."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import LabEnv, environment
from lab.state import default_root

if TYPE_CHECKING:
    from collections.abc import Generator

UP_SECONDS = 900.0
"""Long enough to build what is missing; a lab that is up answers at once."""
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def lab() -> LabEnv:
    """The lab in the default state folder. Its own lock lets one worker bring it up while the others wait."""
    lab_command("up", "--quiet")
    return environment()


@contextlib.contextmanager
def lab_of_its_own(purpose: str) -> Generator[LabEnv]:
    """A cluster without the scene, for tests that would disturb others in the shared one; taken down again."""
    state = default_root().with_name(f"{default_root().name}-{purpose}")
    lab_command("up", "--only", "base", "--state", str(state), "--quiet")
    try:
        yield environment(state)
    finally:
        lab_command("down", "--wipe", "--state", str(state), "--quiet")


def lab_command(*arguments: str) -> None:
    """Run ``python -m lab``."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=UP_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"lab {arguments[0]} failed: {done.stderr[-2000:]}"
