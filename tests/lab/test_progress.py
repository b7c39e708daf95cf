"""Progress lines."""

from __future__ import annotations

import io

import pytest

from lab.progress import Progress, Ticker


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_work_is_named_with_its_time_when_it_is_done() -> None:
    shown = io.StringIO()
    with Progress(stream=shown).work("building etcd (1 of 11)"):
        pass
    assert shown.getvalue() == "building etcd (1 of 11): 0.0 s\n"


def test_failed_work_gets_no_closing_line() -> None:
    shown = io.StringIO()
    with pytest.raises(ValueError, match="broken"), Progress(stream=shown).work("building"):
        raise ValueError("broken")
    assert shown.getvalue() == ""


def test_a_line_that_is_due_appears_once_per_period() -> None:
    shown = io.StringIO()
    ticker = Ticker("waiting", shown, period=0.0)
    ticker.tick()
    assert shown.getvalue() == "waiting … 0 s\n"
    patient = Ticker("waiting", shown, period=60.0)
    patient.tick()
    assert shown.getvalue() == "waiting … 0 s\n"


def test_a_terminal_gets_one_line_that_is_written_over() -> None:
    shown = Terminal()
    ticker = Ticker("waiting", shown, period=0.0)
    ticker.tick()
    ticker.tick()
    assert shown.getvalue() == "\rwaiting … 0 s" * 2


def test_quiet_work_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(quiet=True)
    progress.say("hello")
    with progress.work("building"):
        pass
    assert capsys.readouterr() == ("", "")
