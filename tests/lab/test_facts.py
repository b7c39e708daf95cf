"""The env file and its Python form."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from lab import LabError, environment
from lab.facts import LabEnv, parse, render

if TYPE_CHECKING:
    from pathlib import Path

ODD = {"LAB_STATE": '/tmp/a folder/it\'s "here" $HOME `id` # no', "EMPTY": "", "LAB_NODES": "5"}


def test_values_survive_the_way_through_the_file() -> None:
    assert parse(render(ODD)) == ODD


def test_a_shell_reads_the_same_values(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(render(ODD), encoding="utf-8")
    script = f'. "{file}"; printf "%s" "$LAB_STATE"'
    answer = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == ODD["LAB_STATE"]


def test_a_folder_without_a_running_lab_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="run `python -m lab up`"):
        environment(tmp_path)


def test_the_fact_of_a_server_that_was_left_out_is_refused_by_name() -> None:
    env = LabEnv({"LAB_NODES": "5"})
    assert env.nodes == 5
    with pytest.raises(LabError, match="PROMETHEUS_URL"):
        _ = env.prometheus_url
