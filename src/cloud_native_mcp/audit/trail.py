"""Keeps the audit: records of writes are stored before the write acts, all others in batches soon after."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.audit.file_sink import AppendFailed, LineFile, SinkThread
from cloud_native_mcp.audit.record import line_of
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.audit.config import AuditConfig
    from cloud_native_mcp.audit.file_sink import Sink
    from cloud_native_mcp.audit.record import AuditRecord

logger = logging.getLogger(__name__)

LINGER_S: Final = 0.02
"""Seconds records that nobody waits for are gathered before they are written together."""
RETRY_S: Final = 1.0
MAX_PENDING: Final = 8_000_000
"""Bytes of records kept while the sink does not take them; newer ones are lost beyond it, and counted."""
_REFUSED: Final = "the audit cannot store the record of this call, so nothing was done; tell the operator"


class AuditTrail:
    """Takes the record of every call.

    Args:
        digest: short keyed digest of argument values.
        observe: told how many records were ``stored`` or ``lost``, and of each write ``refused`` for want of a record.
        sink: where lines go; by default the configured file.
    """

    def __init__(
        self,
        config: AuditConfig,
        *,
        digest: Callable[[bytes], str],
        observe: Callable[[str, int], None] | None = None,
        sink: Sink | None = None,
    ) -> None:
        self._config = config
        self._digest = digest
        self._observe = observe
        self._sink: Sink = sink or LineFile(config.file.expanduser())
        self._thread: SinkThread | None = None
        self._task: asyncio.Task[None] | None = None
        self._lines: list[bytes] = []
        self._pending = 0
        self._waiters: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._closing = False
        self._failing = False
        if not config.enabled:
            logger.warning("the audit is off: no call is recorded (audit.enabled)")

    async def start(self) -> None:
        """Open the sink, so that one that cannot be written is known from the start; the server starts all the same."""
        if self._config.enabled:
            await self._store(self._running())

    async def begin(self, record: AuditRecord) -> None:
        """Store the record of a write before it acts.

        Raises:
            ToolError: ``audit_unavailable``, when it is not stored within the deadline and the audit is required.
        """
        if not self._config.enabled:
            return
        stored = asyncio.get_running_loop().create_future()
        if self._add(record):
            self._waiters.append(stored)
            self._hurry.set()
            with contextlib.suppress(TimeoutError, AppendFailed):
                await asyncio.wait_for(stored, self._config.deadline_s)
                return
        if self._config.required:
            self._count("refused", 1)
            raise ToolError("audit_unavailable", _REFUSED)

    async def end(self, record: AuditRecord) -> None:
        """Keep the record of a finished or refused call; returns before it is stored."""
        self.note(record)

    def note(self, record: AuditRecord) -> None:
        """As `end`, for callers that cannot wait at all."""
        if self._config.enabled:
            self._add(record)

    async def close(self) -> None:
        """Store what is left, within the deadline, and release the sink."""
        self._closing = True
        if self._task is not None:
            self._wake.set()
            self._hurry.set()
            await asyncio.wait([self._task], timeout=self._config.deadline_s)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._lines:
            self._lose(len(self._lines))
            self._lines, self._pending = [], 0
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.to_thread(thread.stop, self._config.deadline_s)

    def _add(self, record: AuditRecord) -> bool:
        """Put a record in line; False when there is no room."""
        if self._pending > MAX_PENDING:
            self._lose(1)
            return False
        line = line_of(record, digest=self._digest, max_argument_bytes=self._config.max_argument_bytes)
        self._lines.append(line)
        self._pending += len(line)
        self._wake.set()
        if not self._closing:
            self._running()
        return True

    def _running(self) -> SinkThread:
        """The thread of the sink, with the task that feeds it."""
        if self._thread is None:
            self._thread = SinkThread(self._sink)
            self._task = asyncio.create_task(self._write(self._thread), name="audit-writer")
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
        lines, self._lines, self._pending = self._lines, [], 0
        waiters, self._waiters = self._waiters, []
        policy = self._config.fsync
        try:
            await thread.append(b"".join(lines), sync=policy == "always" or (policy == "writes" and bool(waiters)))
        except AppendFailed as error:
            self._keep(lines, error.written)
            self._tell(error)
            for waiter in waiters:
                _settle(waiter, error)
        else:
            self._count("stored", len(lines))
            self._recovered()
            for waiter in waiters:
                _settle(waiter, None)

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
            logger.error("the audit cannot be written: %s; writes are refused, reads go on", error.strerror)
        self._failing = True

    def _recovered(self) -> None:
        if self._failing:
            logger.warning("the audit is written again")
        self._failing = False

    def _lose(self, records: int) -> None:
        self._count("lost", records)
        logger.warning("%d audit records are lost", records)

    def _count(self, outcome: str, records: int) -> None:
        if self._observe is not None and records:
            self._observe(outcome, records)


def _settle(waiter: asyncio.Future[None], error: AppendFailed | None) -> None:
    if waiter.done():
        return
    if error is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(error)
