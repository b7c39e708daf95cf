"""Server processes: started detached, recorded so that they can be found and stopped by later commands."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

STOP_SECONDS = 10.0
KILL_SECONDS = 5.0
POLL_SECONDS = 0.05
TAIL_BYTES = 4000
TAIL_LINES = 15


@dataclass(frozen=True)
class Record:
    """A started process. Executable and start time tell it from a later process with the same number."""

    pid: int
    executable: str
    start_ticks: int
    command: tuple[str, ...]
    fingerprint: str

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        _reap(self.pid)
        return _identity(self.pid) == (self.executable, self.start_ticks)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # not our child: its own parent collects it


def _identity(pid: int) -> tuple[str, int] | None:
    """Executable and start time in clock ticks since boot; None for a process that has ended."""
    try:
        # the fields after the name in parentheses: state is the 1st, starttime the 20th (proc_pid_stat(5))
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        executable = str(Path(f"/proc/{pid}/exe").readlink()).removesuffix(" (deleted)")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return None if fields[0] in "ZX" else (executable, int(fields[19]))


def server_environment() -> dict[str, str]:
    """The caller's environment without proxies: servers of the lab talk on loopback alone."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


class Processes:
    """The processes of one lab, one record file each."""

    def __init__(self, records: Path, logs: Path, *, grace: float = STOP_SECONDS) -> None:
        self._records = records
        self._logs = logs
        self._grace = grace

    def start(self, name: str, command: Sequence[str], *, fingerprint: str = "") -> Record:
        """Start a server in a session of its own, its output appended to its log, and record it."""
        self._records.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        program = str(Path(command[0]).resolve(strict=True))
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        pid = os.posix_spawn(
            program,
            [program, *command[1:]],
            server_environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log(name)), append, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        identity = _identity(pid)
        if identity is None:
            raise LabError(f"{name} ended at once; {self.describe_log(name)}")
        record = Record(pid, identity[0], identity[1], tuple(command), fingerprint)
        self._file(name).write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
        return record

    def find(self, name: str) -> Record | None:
        """The running process of this name, if there is one."""
        record = self._read(name)
        return record if record is not None and record.is_alive() else None

    def names(self) -> list[str]:
        """Names with a record, running or not."""
        return sorted(file.stem for file in self._records.glob("*.json"))

    def stop(self, names: Sequence[str]) -> list[str]:
        """Stop these servers together, in bounded time, and forget them; answers those that were running."""
        running: dict[str, Record] = {}
        for name in names:
            record = self.find(name)
            if record is not None:
                running[name] = record
                _signal(record.pid, signal.SIGTERM)
        stubborn = _wait_gone(running, self._grace)
        for record in stubborn.values():
            _signal(record.pid, signal.SIGKILL)
        left = _wait_gone(stubborn, KILL_SECONDS)
        if left:
            raise LabError("still running after SIGKILL: " + ", ".join(f"{n} (pid {r.pid})" for n, r in left.items()))
        for name in names:
            self._file(name).unlink(missing_ok=True)
        return list(running)

    def log(self, name: str) -> Path:
        """The log file of a server."""
        return self._logs / f"{name}.log"

    def describe_log(self, name: str) -> str:
        """Where the log is and how it ends, for an error text."""
        log = self.log(name)
        if not log.is_file():
            return f"its log {log} is empty"
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = handle.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join((f"its log {log} ends with:", *(f"  {line[:400]}" for line in lines)))

    def _file(self, name: str) -> Path:
        return self._records / f"{name}.json"

    def _read(self, name: str) -> Record | None:
        try:
            fields = cast("dict[str, Any]", json.loads(self._file(name).read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        command = tuple(fields["command"])
        return Record(fields["pid"], fields["executable"], fields["start_ticks"], command, fields["fingerprint"])


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself meanwhile


def _wait_gone(records: dict[str, Record], within: float) -> dict[str, Record]:
    deadline = time.monotonic() + within
    while True:
        alive = {name: record for name, record in records.items() if record.is_alive()}
        if not alive or time.monotonic() >= deadline:
            return alive
        time.sleep(POLL_SECONDS)
