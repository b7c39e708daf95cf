"""Progress lines of long work: one line that updates on a terminal, a periodic line elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Generator

TERMINAL_SECONDS = 1.0
PERIOD_SECONDS = 10.0


class Ticker:
    """The running time of one piece of work, shown when it is due."""

    def __init__(self, label: str, stream: TextIO | None, *, period: float | None = None) -> None:
        self._label = label
        self._stream = stream
        self._terminal = stream is not None and stream.isatty()
        self._period = (TERMINAL_SECONDS if self._terminal else PERIOD_SECONDS) if period is None else period
        self._start = time.monotonic()
        self._due = self._start + self._period

    @property
    def seconds(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self._start

    def tick(self) -> None:
        """Show the line again if its period has passed."""
        if self._stream is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._period
        head, end = ("\r", "") if self._terminal else ("", "\n")
        print(f"{head}{self._label} … {self.seconds:.0f} s", end=end, file=self._stream, flush=True)

    def finish(self) -> None:
        """Show the line for the last time."""
        if self._stream is not None:
            head = "\r" if self._terminal else ""
            print(f"{head}{self._label}: {self.seconds:.1f} s", file=self._stream, flush=True)


class Progress:
    """Where progress goes: a stream, or nowhere."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = None if quiet else (stream or sys.stderr)

    def say(self, text: str) -> None:
        """Show one line."""
        if self._stream is not None:
            print(text, file=self._stream, flush=True)

    @contextmanager
    def work(self, label: str) -> Generator[Ticker]:
        """Time a piece of work; its closing line appears only when it succeeds."""
        ticker = Ticker(label, self._stream)
        yield ticker
        ticker.finish()
