"""Brings lines to one place: in batches, in order, again when it failed, and at once for who waits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.audit.sink import AppendFailed, SinkThread, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.audit.config import FsyncPolicy
    from cloud_native_mcp.audit.sink import Sink

logger = logging.getLogger(__name__)

LINGER_S: Final = 0.02
"""Seconds records that nobody waits for are gathered before they are written together."""
RETRY_S: Final = 1.0
MAX_PENDING: Final = 8_000_000
"""Bytes of records kept while the sink does not take them; newer ones are lost beyond it, and counted."""


@dataclass(frozen=True, slots=True)
class SinkHealth:
    """How a place for records does. ``pending``: bytes that wait to be stored there."""

    name: str
    failing: bool
    pending: int


class SinkWriter:
    """One sink with what waits for it.

    Args:
        patience_s: seconds that one append may take before the sink counts as failing.
        observe: told how many records were ``stored`` or ``lost``.
    """

    def __init__(
        self,
        name: str,
        sink: Sink,
        *,
        fsync: FsyncPolicy,
        patience_s: float,
        observe: Callable[[str, str, int], None],
    ) -> None:
        self.name = name
        self._sink = sink
        self._fsync = fsync
        self._patience_s = patience_s
        self._observe = observe
        self._thread: SinkThread | None = None
        self._task: asyncio.Task[None] | None = None
        self._lines: list[bytes] = []
        self._pending = 0
        self._waiters: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._closing = False
        self._failing = False
        self._storing = 0
        self._storing_since = 0.0

    @property
    def health(self) -> SinkHealth:
        """How it does now; one that hangs is failing, too."""
        hangs = bool(self._storing_since) and time.monotonic() - self._storing_since > self._patience_s
        return SinkHealth(self.name, self._failing or hangs, self._pending + self._storing)

    async def start(self) -> None:
        """Open the sink, so that one that cannot be written is known from the start."""
        await self._store(self._running())

    def add(self, line: bytes) -> bool:
        """Put a line in the queue; False when there is no room."""
        if self._pending > MAX_PENDING:
            self._lose(1)
            return False
        self._lines.append(line)
        self._pending += len(line)
        self._wake.set()
        if not self._closing:
            self._running()
        return True

    def add_and_tell(self, line: bytes) -> asyncio.Future[None] | None:
        """The same at once; the future ends when it is stored, or with `AppendFailed`."""
        if not self.add(line):
            return None
        stored = asyncio.get_running_loop().create_future()
        self._waiters.append(stored)
        self._hurry.set()
        return stored

    async def close(self, seconds: float) -> None:
        """Store what is left, within so many seconds, and release the sink."""
        self._closing = True
        if self._task is not None:
            self._wake.set()
            self._hurry.set()
            await asyncio.wait([self._task], timeout=seconds)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._lines:
            self._lose(len(self._lines))
            self._lines, self._pending = [], 0
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.to_thread(thread.stop, seconds)

    def _running(self) -> SinkThread:
        """The thread of the sink, with the task that feeds it."""
        if self._thread is None:
            self._thread = SinkThread(self._sink)
            self._task = asyncio.create_task(self._write(self._thread), name=f"audit-writer {self.name}")
        return self._thread

    async def _write(self, thread: SinkThread) -> None:
        """Write batches until closed and empty."""
        while not (self._closing and (not self._lines or self._failing)):
            await self._wake.wait()
            if not self._closing:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S if self._failing else LINGER_S):
                        await self._hurry.wait()
            self._hurry.clear()
            self._wake.clear()
            if self._lines:
                await self._store(thread)

    async def _store(self, thread: SinkThread) -> None:
        lines, self._lines = self._lines, []
        self._storing, self._pending = self._pending, 0
        self._storing_since = time.monotonic()
        waiters, self._waiters = self._waiters, []
        sync = self._fsync == "always" or (self._fsync == "writes" and bool(waiters))
        try:
            await thread.append(b"".join(lines), sync=sync)
        except asyncio.CancelledError:  # closed while it hangs: whether they are stored will not be known
            self._lines[:0] = lines
            raise
        except AppendFailed as error:
            self._keep(lines, error.written)
            self._tell(error)
            for waiter in waiters:
                settle(waiter, error)
        else:
            self._count("stored", len(lines))
            self._recovered()
            for waiter in waiters:
                settle(waiter, None)
        finally:
            self._storing, self._storing_since = 0, 0.0

    def _keep(self, lines: list[bytes], written: int) -> None:
        """Put back the records the sink did not take whole."""
        stored = 0
        while stored < len(lines) and written >= len(lines[stored]):
            written -= len(lines[stored])
            stored += 1
        rest = lines[stored:]
        if rest:
            self._lines[:0] = rest
            self._pending += sum(map(len, rest))
            self._wake.set()
        self._count("stored", stored)

    def _tell(self, error: AppendFailed) -> None:
        if not self._failing:
            logger.error("the audit's %s cannot be written: %s", self.name, error.strerror)
        self._failing = True

    def _recovered(self) -> None:
        if self._failing:
            logger.warning("the audit's %s is written again", self.name)
        self._failing = False

    def _lose(self, records: int) -> None:
        self._count("lost", records)
        logger.warning("%d audit records are lost to the %s", records, self.name)

    def _count(self, outcome: str, records: int) -> None:
        if records:
            self._observe(self.name, outcome, records)
