"""``helm_list`` of 200 releases against ``helm list``: time and processor time of one answer, in turn."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.helm import releases
from bench.kubernetes.answers import text_of
from bench.kubernetes.peers import ours, request
from lab import environment
from lab.processes import server_environment

if TYPE_CHECKING:
    from bench.processes import Server

CALLS: Final = 5
LIMIT: Final = 1 / 10
"""Time of our answer, as a share of the program's."""
_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds of one answer, and of the processor for it."""

    elapsed: float
    cpu: float


def run(*, rounds: int, calls: int = CALLS, count: int = releases.RELEASES) -> bool:
    """Measure, print the table, and tell whether the limit was kept; the lab must be up.

    Args:
        calls: answers of ours a round, of which the median counts; the program gives one.
        count: releases in the namespace.
    """
    releases.prepare(count)
    cold: list[Taken] = []
    warm: list[Taken] = []
    program: list[Taken] = []
    for _ in range(rounds):
        with ours() as server:
            cold.append(_asked(server, count))
            each = [_asked(server, count) for _ in range(calls)]
            warm.append(min(each, key=lambda taken: abs(taken.elapsed - statistics.median(t.elapsed for t in each))))
        program.append(_program(count))
    print(f"{count} releases, {rounds} interleaved rounds")
    print("answer | ours, ms | helm list, ms | ratio | limit | processor ms: ours, helm list")
    kept = [_row("first", cold, program), _row("later", warm, program)]
    return all(kept)


def _asked(server: Server, count: int) -> Taken:
    arguments: dict[str, object] = {"namespace": releases.NAMESPACE, "limit": 300}
    asked = request(server, "helm_list", arguments)
    before, began = server.cpu_seconds(), time.perf_counter()
    text = text_of(server, asked)
    taken = Taken((time.perf_counter() - began) * 1e3, (server.cpu_seconds() - before) * 1e3)
    if not text.startswith(f"{count} releases"):
        raise AssertionError(text[:300])
    return taken


def _program(count: int) -> Taken:
    with tempfile.TemporaryDirectory(prefix="bench-helm-") as home:
        lab = environment()
        environ = server_environment() | {"HOME": home, "KUBECONFIG": str(lab.kubeconfig_admin)}
        command = [str(lab.helm), "list", f"--namespace={releases.NAMESPACE}", "--max=0", "--output=json"]
        before, began = _children(), time.perf_counter()
        done = subprocess.run(command, env=environ, check=True, capture_output=True, timeout=_SECONDS)
        taken = Taken((time.perf_counter() - began) * 1e3, (_children() - before) * 1e3)
    if len(json.loads(done.stdout)) != count:
        raise AssertionError(os.fsdecode(done.stdout[:300]))
    return taken


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(name: str, taken: list[Taken], program: list[Taken]) -> bool:
    ratio = statistics.median(a.elapsed / b.elapsed for a, b in zip(taken, program, strict=True))
    mine, theirs = (statistics.median(one.elapsed for one in rows) for rows in (taken, program))
    cpu = ", ".join(f"{statistics.median(one.cpu for one in rows):.0f}" for rows in (taken, program))
    limit = f"{LIMIT:.3f}" if name == "later" else "-"
    print(f"{name} | {mine:.1f} | {theirs:.1f} | {ratio:.3f} | {limit} | {cpu}")
    return name != "later" or ratio <= LIMIT
