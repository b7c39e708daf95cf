"""``python -m tools.demo``; the environment says how.

``ONESHOT=1`` ends after the session, with exit status 0 when every call was answered as it should. ``LAB=0`` uses the
user's own kubeconfig instead of the lab.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab import environment
from tools.demo import script, server
from tools.demo.session import play

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

NO: Final = frozenset({"0", "no", "false"})


def main() -> int:
    """Set everything up, play the session, and stay until Ctrl-C unless told otherwise."""
    signal.signal(signal.SIGTERM, _interrupt)
    with_lab = os.environ.get("LAB", "") not in NO
    once = os.environ.get("ONESHOT", "") not in NO | {""}
    try:
        sections = _lab() if with_lab else {"kubernetes": {"enabled": True}}
        steps = script.LAB if with_lab else script.ANYWHERE
        with tempfile.TemporaryDirectory(prefix="cloud-native-mcp-demo-") as folder:
            return _show(Path(folder), sections, steps, once=once)
    except KeyboardInterrupt:
        print("\ndemo: stopped" + ("; the lab still runs, make lab-down stops it" if with_lab else ""))
        return 0


def _show(folder: Path, sections: Mapping[str, object], steps: Sequence[script.Step], *, once: bool) -> int:
    address = server.choose_address()
    configuration = server.write_configuration(folder, address, sections)
    with server.running(configuration, address) as process:
        wrong = asyncio.run(play(address, steps))
        for question in wrong:
            print(f"demo: not answered as it should: {question}", file=sys.stderr)
        print(f"\nThe server is at {address.url}; for your own client:\n\n{address.client_configuration}\n")
        if not once:
            print("Ctrl-C stops it.", flush=True)
            return process.wait()
    return 1 if wrong else 0


def _lab() -> Mapping[str, object]:
    """Start the lab, or find it running; returns the configuration of its services."""
    started = subprocess.run([sys.executable, "-m", "lab", "up"], check=False)
    if started.returncode:
        raise SystemExit(started.returncode)
    env = environment()
    return {
        "kubernetes": {"targets": {"lab": {"kubeconfig": str(env.kubeconfig_admin)}}},
        "prometheus": {"targets": {"lab": {"url": env.prometheus_url}}},
    }


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
