"""Locks between commands."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lab import LabError
from lab.locks import exclusive

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, pathlib
from lab.locks import exclusive
with exclusive(pathlib.Path(sys.argv[1]), within=5):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_that_another_process_holds_is_refused_and_free_again_after_its_death(tmp_path: Path) -> None:
    lock = tmp_path / "deep" / "lock"
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LabError, match=str(lock)), exclusive(lock, within=0.1):
            pass
        holder.kill()
    with exclusive(lock, within=0.1):
        assert lock.is_file()
