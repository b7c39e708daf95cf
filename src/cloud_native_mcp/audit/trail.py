"""Keeps the audit: records of writes are stored before the write acts, all others in batches soon after."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.audit.database_sink import Database
from cloud_native_mcp.audit.file_sink import LineFile, StandardOutput
from cloud_native_mcp.audit.record import line_of
from cloud_native_mcp.audit.writer import SinkHealth, SinkWriter
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.audit.config import AuditConfig
    from cloud_native_mcp.audit.record import AuditRecord
    from cloud_native_mcp.audit.sink import Sink

logger = logging.getLogger(__name__)

_REFUSED: Final = "the audit cannot store the record of this call, so nothing was done; tell the operator"
_SAMPLE_BYTES: Final = 8


class AuditTrail:
    """Takes the record of every call to every configured place.

    Args:
        digest: short keyed digest of argument values.
        observe: told of each place how many records were ``stored`` or ``lost``, and, with no place, of each write
            ``refused`` for want of a record.
        sinks: where lines go, by name; by default what is configured.
    """

    def __init__(
        self,
        config: AuditConfig,
        *,
        digest: Callable[[bytes], str],
        observe: Callable[[str, str, int], None] | None = None,
        sinks: Mapping[str, Sink] | None = None,
    ) -> None:
        self._config = config
        self._digest = digest
        self._observe = observe if observe is not None else _nobody
        places = (sinks if sinks is not None else _sinks(config)) if config.enabled else {}
        self._writers = [
            SinkWriter(name, sink, fsync=config.fsync, patience_s=config.deadline_s, observe=self._observe)
            for name, sink in places.items()
        ]
        if not config.enabled:
            logger.warning("the audit is off: no call is recorded (audit.enabled)")

    @property
    def health(self) -> Sequence[SinkHealth]:
        """How each place does."""
        return [writer.health for writer in self._writers]

    @property
    def failing(self) -> bool:
        """Whether no place takes records now."""
        return bool(self._writers) and all(one.failing for one in self.health)

    async def start(self) -> None:
        """Open the places, so that one that cannot be written is known; the server starts all the same."""
        starting = [asyncio.ensure_future(writer.start()) for writer in self._writers]
        if starting:
            await asyncio.wait(starting, timeout=self._config.deadline_s)

    async def begin(self, record: AuditRecord) -> None:
        """Store the record of a write before it acts; it may act once one place has it.

        Raises:
            ToolError: ``audit_unavailable``, when none has it within the deadline and the audit is required.
        """
        if not self._config.enabled:
            return
        line = self._line(record)
        told = [writer.add_and_tell(line) for writer in self._writers]
        if await _first([one for one in told if one is not None], self._config.deadline_s):
            return
        if self._config.required:
            self._observe("", "refused", 1)
            raise ToolError("audit_unavailable", _REFUSED)

    async def end(self, record: AuditRecord) -> None:
        """Keep the record of a finished or refused call; returns before it is stored."""
        self.note(record)

    def note(self, record: AuditRecord) -> None:
        """As `end`, for callers that cannot wait at all."""
        if not self._config.enabled:
            return
        rate = self._config.sample_reads
        if rate < 1.0 and record.tool and record.effect == "read" and record.outcome == "ok":
            if not _sampled(record.request_id, rate):
                return
            record = msgspec.structs.replace(record, sample=rate)
        line = self._line(record)
        for writer in self._writers:
            writer.add(line)

    async def close(self) -> None:
        """Store what is left, within the deadline, and release the places."""
        await asyncio.gather(*(writer.close(self._config.deadline_s) for writer in self._writers))

    def _line(self, record: AuditRecord) -> bytes:
        return line_of(record, digest=self._digest, max_argument_bytes=self._config.max_argument_bytes)


async def _first(stored: Sequence[asyncio.Future[None]], seconds: float) -> bool:
    """Whether one of them ends well within so many seconds."""
    waiting = set(stored)
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while waiting and (left := until - loop.time()) > 0:
        done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if any(not one.cancelled() and one.exception() is None for one in done):
            return True
    return False


def _sampled(request_id: str, rate: float) -> bool:
    """Evenly, and for one call always the same, on whichever node it is asked."""
    number = int.from_bytes(hashlib.blake2b(request_id.encode(), digest_size=_SAMPLE_BYTES).digest())
    return number < rate * 2 ** (8 * _SAMPLE_BYTES)


def _sinks(config: AuditConfig) -> dict[str, Sink]:
    sinks: dict[str, Sink] = {}
    database = config.database_path
    if database is not None:
        sinks["database"] = Database(database, keep_days=config.database_keep_days)
    if config.file is not None:
        sinks["file"] = LineFile(config.file.expanduser(), max_bytes=config.file_max_bytes, keep=config.file_keep)
    if config.stdout:
        sinks["stdout"] = StandardOutput()
    return sinks


def _nobody(sink: str, outcome: str, records: int) -> None:
    """Is told when nobody wants to know."""
