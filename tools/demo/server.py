"""The server of the demo: its configuration in a folder of its own, and its process."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

USUAL_PORT: Final = 8765
READY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the demo's server is, and the key that opens it."""

    port: int
    key: str

    @property
    def url(self) -> str:
        """The endpoint with the tools of all services."""
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def client_configuration(self) -> str:
        """What to put into an MCP client's configuration."""
        entry = {"type": "http", "url": self.url, "headers": {"X-API-Key": self.key}}
        return json.dumps({"servers": {"cloud-native": entry}}, indent=2)


def choose_address() -> Address:
    """The usual port when it is free, else a free one; and a new key."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", USUAL_PORT))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return Address(port=int(probe.getsockname()[1]), key=secrets.token_hex(16))


def write_configuration(folder: Path, address: Address, sections: Mapping[str, object]) -> Path:
    """Write the configuration file (JSON is YAML) with the services' sections."""
    configuration = {
        "server": {"port": address.port, "toolset": "extended"},
        "auth": {"api_keys": {"demo": {"key": f"file:{folder / 'key'}"}}},
        "audit": {"file": str(folder / "audit.jsonl")},
        **sections,
    }
    for name, text in (("key", address.key), ("config.yaml", json.dumps(configuration, indent=2))):
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
    return folder / "config.yaml"


@contextmanager
def running(configuration: Path, address: Address) -> Generator[subprocess.Popen[bytes]]:
    """The server as a child process, ready; ended when the block ends.

    Raises:
        SystemExit: it ended or was not ready in time; its last words were shown.
    """
    log = configuration.with_name("server.log")
    command = [str(Path(sys.executable).with_name("cloud-native-mcp")), "serve", "--config", str(configuration)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _wait_until_ready(process, address, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], address: Address, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{address.port}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    words = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
    raise SystemExit("\n".join(["the server did not become ready; its last words:", *words]))
