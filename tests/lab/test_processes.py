"""Processes that outlive the command that started them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.probes import wait_until
from lab.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEP = ["/bin/sleep", "60"]
IGNORES_TERM = ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.2; done"]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Processes in a folder of the test's own; what is left is stopped at the end."""
    made = Processes(tmp_path / "records", tmp_path / "logs", grace=0.3)
    yield made
    made.stop(made.names())


def exists(pid: int) -> bool:
    """Whether a process of this number runs; one that has ended and only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_started_process_is_found_until_it_is_stopped(processes: Processes) -> None:
    record = processes.start("sleeper", SLEEP, fingerprint="f1")
    assert processes.find("sleeper") == record
    assert processes.names() == ["sleeper"]
    assert processes.stop(["sleeper"]) == ["sleeper"]
    assert processes.find("sleeper") is None
    assert processes.names() == []
    assert not exists(record.pid)


def test_a_process_gets_a_session_of_its_own(processes: Processes) -> None:
    record = processes.start("sleeper", SLEEP)
    assert os.getsid(record.pid) == record.pid != os.getsid(0)


def test_another_process_with_the_recorded_number_is_not_taken_for_it(processes: Processes, tmp_path: Path) -> None:
    record = processes.start("sleeper", SLEEP)
    file = tmp_path / "records" / "sleeper.json"
    fields = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**fields, "start_ticks": record.start_ticks - 1}), encoding="utf-8")
    assert processes.find("sleeper") is None
    assert processes.stop(["sleeper"]) == []
    assert exists(record.pid)
    file.write_text(json.dumps(fields), encoding="utf-8")


def test_a_process_that_ended_by_itself_is_not_found(processes: Processes) -> None:
    record = processes.start("short", SLEEP)
    os.kill(record.pid, signal.SIGKILL)
    wait_until("the end of the process", lambda: processes.find("short") is None, within=5)


def test_a_process_that_ignores_the_polite_signal_is_killed(processes: Processes) -> None:
    record = processes.start("stubborn", IGNORES_TERM)
    wait_until("the trap", lambda: "ready" in processes.log("stubborn").read_text(encoding="utf-8"), within=5)
    assert processes.stop(["stubborn"]) == ["stubborn"]
    wait_until("the last of it", lambda: not exists(record.pid), within=5)


def test_servers_do_not_get_the_proxies_of_the_caller(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "localhost")
    monkeypatch.setenv("LAB_TEST_MARK", "kept")
    processes.start("printer", ["/bin/sh", "-c", "env; sleep 60"])
    log = processes.log("printer")
    wait_until("the output", lambda: "LAB_TEST_MARK=kept" in log.read_text(encoding="utf-8"), within=5)
    assert "proxy" not in log.read_text(encoding="utf-8").lower()


def test_the_end_of_a_log_is_told_with_its_place(processes: Processes) -> None:
    processes.start("printer", ["/bin/sh", "-c", "seq 1 40; sleep 60"])
    log = processes.log("printer")
    wait_until("the output", lambda: "\n40\n" in log.read_text(encoding="utf-8"), within=5)
    told = processes.describe_log("printer")
    assert str(log) in told
    assert told.endswith("  40")
    assert "  10" not in told.splitlines()
