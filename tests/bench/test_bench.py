"""The benchmarks run and print their tables. What they measure is judged by ``make bench``, never here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.comparison import Measured, median_cpu, paired_ratio
from bench.engine import catalogue, services
from bench.engine import run as engine
from bench.kubernetes.workloads import WHOLE_WALK, workloads
from bench.trust import run as trust
from tests.lab_fixtures import ROOT, lab_of_its_own

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

MINUTES = 800.0


@pytest.mark.slow
def test_the_engine_is_measured_against_the_protocol_library(capsys: pytest.CaptureFixture[str]) -> None:
    engine.run(rounds=1, calls=16)
    table = capsys.readouterr().out.splitlines()
    for workload, limit in engine.LIMITS.items():
        row = next(line for line in table if line.startswith(f"{workload} |"))
        assert re.fullmatch(rf"{workload} \| \d+ \| \d+ \| \d+\.\d+ \| {limit} \| \S+ \| \S+", row)


@pytest.mark.slow
def test_trust_is_measured_against_an_open_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert trust.run(rounds=1, calls=200)
    rows = [line for line in capsys.readouterr().out.splitlines() if ", roles, audit file |" in line]
    assert len(rows) == 2
    assert all(re.search(r"\| \d+ \| \d+\.\d\d$", row) for row in rows)


@pytest.fixture(scope="module")
def own_lab() -> Generator[Path]:
    """The state folder of a cluster for this measurement alone, whose pods disturb no other test; taken down again."""
    with lab_of_its_own("bench") as own:
        yield own.state


def _bench(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"CNMCP_LAB_STATE": str(state)}
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=MINUTES, check=False)


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_helm_is_measured_against_its_program(own_lab: Path) -> None:
    done = _bench("helm", "--rounds", "1", "--calls", "2", state=own_lab)
    assert done.returncode in {0, 1}, done.stderr[-2000:]
    rows = done.stdout.splitlines()
    assert "200 releases, 1 interleaved rounds" in rows
    for name in ("first", "later"):
        row = next(line for line in rows if line.startswith(f"{name} |"))
        assert re.fullmatch(rf"{name} \| \d+\.\d \| \d+\.\d \| \d+\.\d+ \| \S+ \| \d+, \d+", row)


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kubernetes_is_measured_beside_two_other_servers_on_one_cluster(own_lab: Path) -> None:
    done = _bench("kubernetes", "--rounds", "1", "--calls", "16", "--pods", "41", state=own_lab)
    assert done.returncode in {0, 1}, done.stderr[-2000:]
    lines = done.stdout.splitlines()[-2 - len(workloads("any")) - 4 :]
    head, columns, *rows, memory, kept_columns, kept = lines
    assert head == "100 pods, 8 clients, 1 interleaved rounds"
    assert columns.startswith("workload | processor ms: ours, go, node | ours/go | limit")
    assert [row.partition(" |")[0] for row in rows] == [*workloads("any"), WHOLE_WALK]
    for row in rows:
        assert re.fullmatch(r"[^|]+ \| [\d., -]+ \| \d+\.\d{3} \| \d\.\d{3} \| [\d, -]+", row)
    assert re.fullmatch(r"memory at rest → under load, MB: ours \d+ → \d+, go \d+ → \d+, node \d+ → \d+", memory)
    assert kept_columns.startswith("diagnose the large namespace | ms: asked, kept | times faster")
    assert re.fullmatch(r"- \| \d+, \d+ \| \d+\.\d \| \d+\.\d, \d+\.\d \| \d+\.\d{3} \| \d+, \d+", kept)


def test_ratios_are_medians_of_rounds_that_were_run_together() -> None:
    ours = [Measured(cpu_us=us, bytes=0, p50_ms=0, p99_ms=0) for us in (10, 20, 90)]
    theirs = [Measured(cpu_us=us, bytes=0, p50_ms=0, p99_ms=0) for us in (100, 100, 100)]
    assert median_cpu(ours) == 20
    assert paired_ratio(ours, theirs) == 0.2


def test_the_fixture_has_the_tools_of_the_whole_design() -> None:
    assert sum(map(len, catalogue.load().values())) == 109
    assert {found.spec.name for found in services.discovered()} == set(catalogue.load())
