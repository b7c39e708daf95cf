"""The server on standard input and output, in a process that measures itself.

At its end it writes to the file named by ``MEASURED``: the peak of its memory in bytes, how many steps the event loop
took, and every one that took long, as pairs of when it ended (`time.monotonic`) and its CPU seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from cloud_native_mcp.cli.main import main

NOTED = 0.02
"""CPU seconds from which on a step is written down."""


@dataclass
class Steps:
    """What is known of the steps of event loops."""

    taken: int = 0
    long: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])


def measure() -> Steps:
    """Watch every step of the event loop. The loop written in C cannot be watched: the standard one takes its place."""
    steps = Steps()
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        steps.taken += 1
        started = time.thread_time()
        run(handle)
        took = time.thread_time() - started
        if took >= NOTED:
            steps.long.append((time.monotonic(), took))

    asyncio.Handle._run = timed  # pyright: ignore[reportAttributeAccessIssue]
    uvloop.new_event_loop = asyncio.SelectorEventLoop
    return steps


def peak_memory() -> int:
    """The most bytes this process ever had resident. The usual figure would count the process that started it too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1_024


if __name__ == "__main__":
    noted = measure()
    try:
        main()
    finally:
        peak = peak_memory()
        report = {"peak": peak, "taken": noted.taken, "steps": noted.long}
        Path(os.environ["MEASURED"]).write_text(json.dumps(report), encoding="utf-8")
