"""Lists of 5,000 pods: every page inside its budget, little memory, and no long step of the event loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from lab import environment
from lab.state import default_root
from tests.lab_fixtures import ROOT
from tests.promises import promise
from tests.transport.wire import modern_call

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from lab import LabEnv

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1_800)]

PODS = 5_000
MOST_MEMORY = 300_000_000
LONGEST_STEP = 0.05
"""CPU seconds of one step of the event loop."""
BUDGET = 40_000
MINUTES = 1_500.0


def large_state() -> Path:
    """The state folder of the large cluster, beside that of the lab in use."""
    return default_root().with_name(f"{default_root().name}-large")


def lab_command(*arguments: str) -> None:
    """Run a command of the lab on the state folder of the large cluster."""
    command = [sys.executable, "-m", "lab", *arguments, "--state", str(large_state()), "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MINUTES, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def large() -> Generator[LabEnv]:
    """A cluster of its own with many pods; taken down again, whatever happens."""
    try:
        lab_command("up", "--only", "base")
        lab_command("scale", "--pods", str(PODS), "--nodes", "50")
        yield environment(large_state())
    finally:
        lab_command("down", "--wipe")


@dataclass
class Measured:
    """A server process: calls go in and answers come out, one line each."""

    process: subprocess.Popen[str]
    report: Path
    since: float = 0.0
    sizes: list[int] = field(default_factory=list[int])

    def ask(self, tool: str, **arguments: object) -> str:
        """The text of an answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(modern_call(tool, arguments)) + "\n")
        self.process.stdin.flush()
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert not message["result"].get("isError"), message["result"]
        text: str = message["result"]["content"][0]["text"]
        self.sizes.append(len(text.encode()))
        return text

    def walk(self, **arguments: object) -> list[str]:
        """The names of all listed pods, from page to page."""
        names: list[str] = []
        cursor: dict[str, object] = {}
        while True:
            text = self.ask("kubernetes_list", kind="pods", namespace="scale", **arguments, **cursor)
            lines = [line for line in text.splitlines()[1:] if "\t" in line or line.startswith(APPLICATIONS)]
            names += [line.split("\t")[0] for line in lines if not line.startswith("NAME")]
            if "cursor: " not in text:
                return names
            cursor = {"cursor": text.rpartition("cursor: ")[2].strip()}

    def end(self) -> tuple[int, list[float]]:
        """Peak memory, and the CPU seconds of the long steps since the server was warm."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        found: dict[str, Any] = json.loads(self.report.read_text(encoding="utf-8"))
        assert found["taken"] > len(self.sizes), "steps are not measured"
        return int(found["peak"]), [took for at, took in found["steps"] if at > self.since]


APPLICATIONS = ("catalog", "cart", "search", "billing", "mailer", "recommender", "gateway", "indexer")


@pytest.fixture
def server(large: LabEnv, tmp_path: Path) -> Generator[Measured]:
    """A warm server whose one target is the large cluster."""
    config = tmp_path / "config.yaml"
    target = {"kubeconfig": str(large.kubeconfig_admin)}
    config.write_text(json.dumps({"kubernetes": {"targets": {"large": target}}}), encoding="utf-8")
    command = [sys.executable, "-m", "tests.services.kubernetes.measured_server", "stdio", "--config", str(config)]
    place = {"MEASURED": str(tmp_path / "report.json"), "HOME": str(tmp_path)}
    pipe = subprocess.PIPE
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | place, stdin=pipe, stdout=pipe, stderr=log, text=True
        )
        with process:
            running = Measured(process, tmp_path / "report.json")
            running.ask("kubernetes_list", kind="namespaces")
            running.since = time.monotonic()
            yield running
            if process.poll() is None:
                process.kill()


def expect_small(server: Measured) -> None:
    """The server stayed small and quick, and every answer inside the budget."""
    peak, steps = server.end()
    assert peak < MOST_MEMORY
    assert [took for took in steps if took >= LONGEST_STEP] == []
    assert max(server.sizes) <= BUDGET


@promise("L3")
@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 500},
        {"limit": 500, "columns": "wide"},
        {"limit": 500, "columns": "labels"},
        {"limit": 500, "fields": [".spec.nodeName", ".spec.containers[*].image", ".status.podIP"]},
        {"limit": 50, "fields": [".spec", ".metadata"]},
    ],
    ids=["default", "wide", "labels", "fields", "whole-objects"],
)
def test_the_cursor_walks_all_pods_once(server: Measured, arguments: dict[str, object]) -> None:
    names = server.walk(**arguments)
    assert len(names) == PODS
    assert len(set(names)) == PODS
    expect_small(server)


@promise("L3")
def test_searching_sorting_and_counting_look_at_all_pods(server: Measured) -> None:
    found = server.walk(query="billing", limit=500)
    assert len(found) == PODS // len(APPLICATIONS)
    ordered = server.ask("kubernetes_list", kind="pods", namespace="scale", sort_by="-.metadata.name", limit=10)
    first = [line.split("\t")[0] for line in ordered.splitlines()[2:12]]
    assert first == sorted(first, reverse=True)
    assert first[0].startswith("search-")
    by_age = server.ask("kubernetes_list", kind="pods", namespace="scale", sort_by="AGE", limit=500)
    assert f"of {PODS}" in by_age
    counted = server.ask("kubernetes_list", kind="pods", namespace="scale", count_by=".metadata.labels.team")
    assert (
        sum(int(line.split("\t")[1]) for line in counted.splitlines() if line.count("\t") == 1 and line[-1:].isdigit())
        == PODS
    )
    expect_small(server)


@promise("L3")
def test_what_is_owned_is_looked_for_among_all_pods(server: Measured) -> None:
    name = server.walk(query="-00000", limit=1)[0]
    tree = server.ask("kubernetes_get", kind="pod", name=name, namespace="scale", view="tree")
    assert f"> Pod/{name}" in tree
    described = server.ask("kubernetes_get", kind="node", name="scale-000")
    assert "pods: 100 of 110" in described
    expect_small(server)
