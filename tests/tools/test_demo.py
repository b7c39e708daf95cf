"""The demo answers all its questions, on the lab and on a cluster of one's own, and ends by itself when asked to."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.meta.tree import ROOT

if TYPE_CHECKING:
    from lab import LabEnv

pytestmark = [pytest.mark.lab, pytest.mark.slow]


def run_demo(**environment: str) -> subprocess.CompletedProcess[str]:
    """The demo in its one-shot form."""
    return subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=ROOT,
        env={**os.environ, "ONESHOT": "1", **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_the_demo_answers_its_questions_about_the_lab(lab: LabEnv) -> None:
    done = run_demo(CNMCP_LAB_STATE=str(lab.state))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Which alerts fire?" in done.stdout
    assert "did you mean namespace?" in done.stdout
    assert "/mcp" in done.stdout


def test_the_demo_works_on_a_cluster_of_ones_own_with_few_rights(lab: LabEnv) -> None:
    done = run_demo(LAB="0", KUBECONFIG=str(lab.kubeconfig_viewer))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "prometheus_query" not in done.stdout
