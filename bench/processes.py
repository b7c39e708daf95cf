"""Child processes under measurement: their processor time and memory, read from the operating system."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

_TICKS = os.sysconf("SC_CLK_TCK")
_READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server process that listens on a loopback port."""

    name: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of the process so far, and of the children it has waited for."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / _TICKS

    def rss_mb(self) -> float:
        """Resident memory now, in MB."""
        return self._status("VmRSS")

    def peak_rss_mb(self) -> float:
        """The most memory the process ever had resident, in MB."""
        return self._status("VmHWM")

    def _status(self, key: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024 / 1e6
        raise LookupError(key)


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    name: str, command: Sequence[str], port: int, *, environ: Mapping[str, str] | None = None
) -> Generator[Server]:
    """Run a server for the time of the block; it is ready when its port accepts connections."""
    child = subprocess.Popen(command, env=dict(os.environ) | dict(environ or {}))
    try:
        _wait_for(child, port)
        yield Server(name, port, child.pid)
    finally:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_for(child: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        if child.poll() is not None:
            raise RuntimeError(f"the server ended with {child.returncode} before it was ready")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"no server on port {port} within {_READY_S:g} s")
