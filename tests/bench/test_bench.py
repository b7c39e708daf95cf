"""The benchmarks run and print their tables. What they measure is judged by ``make bench``, never here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bench.comparison import Measured, median_cpu, paired_ratio
from bench.engine import catalogue, services
from bench.engine import run as engine
from bench.kubernetes import run as kubernetes

if TYPE_CHECKING:
    from lab import LabEnv


@pytest.mark.slow
def test_the_engine_is_measured_against_the_protocol_library(capsys: pytest.CaptureFixture[str]) -> None:
    engine.run(rounds=1, calls=16)
    table = capsys.readouterr().out.splitlines()
    for workload, limit in engine.LIMITS.items():
        row = next(line for line in table if line.startswith(f"{workload} |"))
        assert re.fullmatch(rf"{workload} \| \d+ \| \d+ \| \d+\.\d+ \| {limit} \| \S+ \| \S+", row)


@pytest.mark.lab
@pytest.mark.slow
def test_reads_of_kubernetes_are_measured_over_the_lab(lab: LabEnv, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.kubeconfig_admin.exists()
    kubernetes.run(rounds=1, calls=16)
    table = capsys.readouterr().out.splitlines()
    assert [line.partition(" |")[0] for line in table[2:]] == list(kubernetes.REQUESTS)


def test_ratios_are_medians_of_rounds_that_were_run_together() -> None:
    ours = [Measured(cpu_us=us, bytes=0, p50_ms=0, p99_ms=0) for us in (10, 20, 90)]
    theirs = [Measured(cpu_us=us, bytes=0, p50_ms=0, p99_ms=0) for us in (100, 100, 100)]
    assert median_cpu(ours) == 20
    assert paired_ratio(ours, theirs) == 0.2


def test_the_fixture_has_the_tools_of_the_whole_design() -> None:
    assert sum(map(len, catalogue.load().values())) == 109
    assert {found.spec.name for found in services.discovered()} == set(catalogue.load())
