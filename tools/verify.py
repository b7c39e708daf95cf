"""All checks and tests with everything they need: ``make test``.

They run on a lab of their own, so a lab in use is left alone; it is taken down at the end, whatever happened. The other
supported Pythons of the machine run the tests that need no lab; one that is missing is reported as not run.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / "build"
SUPPORTED: Final = ("3.11", "3.12", "3.13")
PYTEST: Final = ("-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-q")
WITHOUT_LAB: Final = ("-m", "not lab and not slow", "--ignore=tests/meta", "--ignore=tests/conformance")

_CLOSING = re.compile(r"^(?:=+ )?(\d+ (?:passed|failed|errors?|skipped|deselected)\b.* in [0-9.]+s.*?)(?: =+)?$")


class StepFailed(Exception):
    """A step ended with an error; its output tells why."""


@dataclass(slots=True)
class Report:
    """What was run, for how long, and what came of it."""

    lines: list[str] = field(default_factory=list[str])

    def step(self, name: str, run: Callable[[], str]) -> None:
        """Run one step and note it with the closing words it returns.

        Raises:
            StepFailed: it failed.
        """
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        try:
            closing = run()
        except StepFailed as failure:
            self.lines.append(f"{time.monotonic() - began:6.0f} s  {name}: FAILED {failure}")
            raise
        self.lines.append(f"{time.monotonic() - began:6.0f} s  {name}{': ' if closing else ''}{closing}")

    def print(self, *, passed: bool) -> None:
        """Show the notes and the verdict."""
        print("\nsteps:", *self.lines, "make test: " + ("passed" if passed else "FAILED"), sep="\n", flush=True)


def command(*arguments: str, python: str = sys.executable) -> Callable[[], str]:
    """Make a step of a Python command line."""

    def run() -> str:
        _run([python, *arguments])
        return ""

    return run


def program(name: str, *arguments: str) -> Callable[[], str]:
    """Make a step of a program that was installed beside Python."""

    def run() -> str:
        _run([str(Path(sys.executable).with_name(name)), *arguments])
        return ""

    return run


def pytest(*arguments: str, python: str = sys.executable, log: str) -> Callable[[], str]:
    """Make a step of a pytest run; it returns pytest's closing line."""

    def run() -> str:
        lines = _run([python, *PYTEST, *arguments], log=BUILD / "test" / log)
        return closing_line(lines)

    return run


def closing_line(lines: Sequence[str]) -> str:
    """Find pytest's closing line (``12 passed in 3.4s``)."""
    found = [match[1] for line in lines if (match := _CLOSING.match(line))]
    return found[-1] if found else ""


def _run(arguments: Sequence[str], *, log: Path | None = None) -> list[str]:
    """Run a program, showing its output and, with ``log``, keeping it.

    Raises:
        StepFailed: it ended with another status than 0; the text is its last words.
    """
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []
    with process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    status = process.returncode
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if status:
        raise StepFailed(closing_line(lines) or f"(exit status {status})")
    return lines


def interpreter(version: str) -> str | None:
    """Find an interpreter of that version that works, in the path or among pyenv's."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"), reverse=True)
    asks_version = "import ssl, sys, venv; print('%d.%d' % sys.version_info[:2])"
    for candidate in (f"python{version}", *map(str, kept)):
        try:
            answer = subprocess.run([candidate, "-c", asks_version], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if answer.stdout.strip() == version:
            return candidate
    return None


def _other_pythons(report: Report) -> None:
    current = "{}.{}".format(*sys.version_info[:2])
    for version in SUPPORTED:
        if version == current:
            continue
        found = interpreter(version)
        if found is None:
            report.lines.append(f"not run: no python{version}")
            continue
        folder = BUILD / f"python{version}"
        report.step(f"environment of Python {version}", lambda python=found, folder=folder: _prepare(python, folder))
        step = pytest(*WITHOUT_LAB, python=str(folder / "bin" / "python"), log=f"pytest-{version}.log")
        report.step(f"tests without lab on Python {version}", step)


def _prepare(python: str, folder: Path) -> str:
    stamp = folder / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < (ROOT / "requirements" / "dev.txt").stat().st_mtime:
        _run(["env", f"PYTHON={python}", "tools/environment", str(folder)])
        stamp.touch()
    return ""


def _interrupted(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """Run all steps; the first failure ends the run. Returns the exit status."""
    signal.signal(signal.SIGTERM, _interrupted)
    cache = Path(os.environ.get("CNMCP_LAB_CACHE") or Path.home() / ".cache" / "cloud-native-mcp-lab")
    os.environ["CNMCP_LAB_STATE"] = os.environ.get("CNMCP_TEST_LAB_STATE") or str(cache / "state" / "test")
    report, passed = Report(), False
    try:
        report.step("lint", command("-m", "ruff", "check", "."))
        report.step("format", command("-m", "ruff", "format", "--check", "."))
        report.step("Node.js programs", command("-m", "tools.node_env", "install"))
        report.step("types", command("-m", "tools.node_env", "run", "pyright"))
        report.step(
            "layers", command("-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache")
        )
        report.step("lab up", command("-m", "lab", "up"))
        report.step("tests", pytest("-m", "not changes", log="pytest.log"))
        report.step("tests that change the cluster", pytest("-m", "changes", log="pytest-changes.log"))
        _other_pythons(report)
        passed = True
    except StepFailed:
        pass
    finally:
        try:
            report.step("lab down", command("-m", "lab", "down", "--wipe"))
        except StepFailed:
            passed = False
        report.print(passed=passed)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
