"""What a place for records is, and the thread that writes to one."""

from __future__ import annotations

import asyncio
import errno
import queue
import threading
from typing import Protocol


class AppendFailed(OSError):
    """Not all of it could be stored; ``written`` bytes were."""

    def __init__(self, cause: OSError, written: int = 0) -> None:
        super().__init__(cause.errno, cause.strerror)
        self.written = written


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
            except Exception as error:  # noqa: BLE001 - the top of this thread: a sink with a fault is one that failed
                failure = AppendFailed(OSError(errno.EIO, f"a fault of the sink, {type(error).__name__}"))
            try:
                done.get_loop().call_soon_threadsafe(settle, done, failure)
            except RuntimeError:
                break  # the loop is gone, and with it everybody who could wait
        self._sink.close()


def settle(stored: asyncio.Future[None], failure: AppendFailed | None) -> None:
    """End a future that tells of an append, unless it has ended; nobody has to listen."""
    if stored.done():
        return
    if failure is None:
        stored.set_result(None)
    else:
        stored.set_exception(failure)
        stored.exception()
