"""The runner of all checks notices failures and tells what it did not run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tools.verify import Report, StepFailed, closing_line, command, interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("lines", "closing"),
    [
        (["....", "12 passed in 3.40s"], "12 passed in 3.40s"),
        (
            ["===== 1 failed, 12 passed, 1 warning in 63.40s (0:01:03) ====="],
            "1 failed, 12 passed, 1 warning in 63.40s (0:01:03)",
        ),
        (["2 errors in 0.24s"], "2 errors in 0.24s"),
        (["the test of 12 passed in 3 worlds"], ""),
        ([], ""),
    ],
)
def test_the_closing_line_of_pytest_is_found(lines: Sequence[str], closing: str) -> None:
    assert closing_line(lines) == closing


def test_a_failing_step_is_reported_and_stops_the_run(capfd: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.step("good", command("-c", "print('hello')"))
    with pytest.raises(StepFailed):
        report.step("bad", command("-c", "import sys; print('1 failed in 0.10s'); sys.exit(1)"))
    report.print(passed=False)
    shown = capfd.readouterr().out
    assert "hello" in shown
    assert "s  good\n" in shown
    assert "s  bad: FAILED 1 failed in 0.10s\n" in shown
    assert shown.endswith("make test: FAILED\n")


def test_this_interpreter_is_found_by_its_version() -> None:
    version = "{}.{}".format(*sys.version_info[:2])
    assert interpreter(version) is not None


def test_an_interpreter_that_does_not_exist_is_not_found() -> None:
    assert interpreter("3.999") is None
