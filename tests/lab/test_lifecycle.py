"""Bringing labs up and down: a second one beside the shared one, in a folder of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import environment, ports
from lab.probes import wait_until
from lab.processes import Processes
from lab.servers import GROUPS
from lab.state import State
from tests.lab.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import LabEnv
    from lab.processes import Record

pytestmark = pytest.mark.lab
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 110


def command(state: Path, *arguments: str) -> list[str]:
    """A command line for the lab in a folder."""
    return [sys.executable, "-m", "lab", arguments[0], "--state", str(state), *arguments[1:]]


def run(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the lab."""
    line = command(state, *arguments)
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def succeed(state: Path, *arguments: str) -> str:
    """Run a command of the lab that must succeed."""
    done = run(state, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def running(state: Path) -> list[str]:
    """Command lines of every process on this machine that names the folder."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        if str(state) in line:
            found.append(line)
    return found


def records(state: Path) -> dict[str, Record | None]:
    """The processes of a lab that run."""
    folder = State(state)
    processes = Processes(folder.processes, folder.logs)
    return {name: processes.find(name) for name in processes.names()}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder; whatever a test leaves there is stopped."""
    yield tmp_path / "state"
    succeed(tmp_path / "state", "down", "--wipe")


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A second lab, base servers only."""
    state = tmp_path_factory.mktemp("second") / "state"
    succeed(state, "up", "--only", "base", "--nodes", "2", "--quiet")
    yield state
    succeed(state, "down", "--wipe")
    assert running(state) == []


def test_a_failing_start_takes_down_what_it_started(folder: Path) -> None:
    blocked = State(folder).data / "kube-controller-manager"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a folder must be", encoding="utf-8")
    done = run(folder, "up", "--only", "base", "--quiet")
    assert done.returncode == 1
    assert "kube-controller-manager ended" in done.stderr
    assert "kube-controller-manager.log ends with" in done.stderr
    assert running(folder) == []
    assert not State(folder).env.exists()


def test_an_interrupted_start_takes_down_what_it_started(folder: Path) -> None:
    line = command(folder, "up", "--only", "base", "--quiet")
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as starting:
        wait_until("start of a server", lambda: bool(records(folder).get("kube-apiserver")), within=60)
        starting.send_signal(signal.SIGTERM)
        _, told = starting.communicate(timeout=60)
    assert (starting.returncode, told) == (130, "lab: interrupted\n")
    assert running(folder) == []


def test_two_labs_run_side_by_side(lab: LabEnv, second: Path) -> None:
    other = environment(second)
    names = [{node["metadata"]["name"] for node in Kubectl.admin(each).list("nodes")} for each in (lab, other)]
    assert {f"node-{index}" for index in range(lab.nodes)} <= names[0]
    assert names[1] == {"node-0", "node-1"}
    taken = [set(ports.load(State(each.state).ports).values()) for each in (lab, other)]
    assert taken[0].isdisjoint(taken[1])


def test_a_second_start_changes_nothing(second: Path) -> None:
    before = records(second)
    assert set(before) == set(GROUPS["base"])
    succeed(second, "up", "--only", "base", "--nodes", "2")
    assert records(second) == before


def test_a_start_replaces_only_the_server_that_died(second: Path) -> None:
    before = records(second)
    victim = before.pop("kube-scheduler")
    assert victim is not None
    Processes(State(second).processes, State(second).logs).stop(["kube-scheduler"])
    succeed(second, "up", "--only", "base", "--nodes", "2")
    after = records(second)
    replaced = after.pop("kube-scheduler")
    assert replaced is not None
    assert replaced.pid != victim.pid
    assert after == before


def test_the_status_tells_which_servers_are_ready(second: Path) -> None:
    states = {line.split()[0]: line.split()[2] for line in succeed(second, "status").splitlines()[1:]}
    assert {name for name, state in states.items() if state == "ready"} == set(GROUPS["base"])
    assert states["prometheus"] == "stopped"


def test_the_printed_facts_are_those_of_the_file(second: Path) -> None:
    assert succeed(second, "env") == State(second).env.read_text(encoding="utf-8")


def test_many_pods_come_and_go(second: Path) -> None:
    kubectl = Kubectl.admin(environment(second))
    succeed(second, "scale", "--pods", "40", "--nodes", "2", "--quiet")
    pods = kubectl.list("pods", "-n", "scale")
    assert len(pods) == 40
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    succeed(second, "scale", "--pods", "0", "--quiet")
    assert kubectl.list("pods", "-n", "scale") == []
    assert len(kubectl.list("nodes")) == 2


def test_too_many_pods_for_the_nodes_are_refused(second: Path) -> None:
    done = run(second, "scale", "--pods", "500", "--nodes", "2")
    assert done.returncode == 1
    assert "500 pods need 5 nodes" in done.stderr


def test_a_lab_that_is_not_up_says_so(tmp_path: Path) -> None:
    for name in ("env", "reset"):
        done = run(tmp_path, name)
        assert done.returncode == 1
        assert "run `python -m lab up`" in done.stderr
