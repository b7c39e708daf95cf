"""Appends lines to a file, from a thread of its own, so that a slow disk never stops the event loop."""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import stat
import threading
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700


class AppendFailed(OSError):
    """Not all of it could be stored; ``written`` bytes were."""

    def __init__(self, cause: OSError, written: int) -> None:
        super().__init__(cause.errno, cause.strerror)
        self.written = written


class LineFile:
    """A file that lines are appended to. It is opened again when it was moved away or removed, as rotation does.

    A line that a crash or a full disk left unfinished is ended first, so that it spoils no other.
    """

    __slots__ = ("_descriptor", "_identity", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        self._identity = (0, 0)

    def append(self, lines: bytes, *, sync: bool) -> None:
        """Write all of it, and force it to disk when asked.

        Raises:
            AppendFailed: the file cannot be opened, written or synced.
        """
        written = 0
        try:
            self._reopen()
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:])
            if sync:
                os.fsync(self._descriptor)
        except OSError as error:
            self.close()
            raise AppendFailed(error, written) from error

    def close(self) -> None:
        """Close the file; the next append opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _reopen(self) -> None:
        if self._descriptor >= 0:
            if self._identity == _identity(self.path):
                return
            self.close()
        self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        self._descriptor = os.open(self.path, flags, FILE_MODE)
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise OSError(errno.EINVAL, "not a regular file")
        self._identity = (found.st_dev, found.st_ino)
        if found.st_size and os.pread(self._descriptor, 1, found.st_size - 1) != b"\n":
            os.write(self._descriptor, b"\n")


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


class Sink(Protocol):
    """Where lines go; called from one thread."""

    def append(self, lines: bytes, *, sync: bool) -> None:
        """Store all of it, durably when asked, or raise `AppendFailed`."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


class SinkThread:
    """Runs the appends of one sink one after the other; a daemon thread, so a hung disk cannot hold up the exit."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._jobs: queue.SimpleQueue[tuple[bytes, bool, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="audit-sink", daemon=True)
        self._thread.start()

    def append(self, lines: bytes, *, sync: bool) -> asyncio.Future[None]:
        """Append in the background; the future ends when it is stored, or with `AppendFailed`."""
        done = asyncio.get_running_loop().create_future()
        self._jobs.put((lines, sync, done))
        return done

    def stop(self, wait: float) -> None:
        """Let the thread end after what it was given; waits for it so many seconds at most."""
        self._jobs.put(None)
        self._thread.join(wait)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            lines, sync, done = job
            failure: AppendFailed | None = None
            try:
                self._sink.append(lines, sync=sync)
            except AppendFailed as error:
                failure = error
            try:
                done.get_loop().call_soon_threadsafe(_settle, done, failure)
            except RuntimeError:
                break  # the loop is gone, and with it everybody who could wait
        self._sink.close()


def _settle(done: asyncio.Future[None], failure: AppendFailed | None) -> None:
    if done.cancelled():
        return
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)
