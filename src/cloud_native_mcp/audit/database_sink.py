"""Keeps records in an SQLite database.

https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from cloud_native_mcp.audit.file_sink import FILE_MODE, FOLDER_MODE, identity_of
from cloud_native_mcp.audit.schema import COLUMNS, TABLE, VERSION
from cloud_native_mcp.audit.sink import AppendFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BUSY_S: Final = 1.0
"""How long another process that writes is waited for."""
CLEAN_EVERY_S: Final = 600.0
CLEAN_AT_ONCE: Final = 5_000
"""Records that leave in one step, so that no step holds up who waits for long."""
_DAY_S: Final = 86_400.0
_INSERT: Final = f"INSERT INTO audit_records ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - names of this program


class Database:
    """A sink (`audit.sink.Sink`) that stores each batch in one transaction. It is opened anew after a failure.

    Args:
        keep_days: records older than that leave; 0 keeps all.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, *, keep_days: float = 0, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._keep_s = keep_days * _DAY_S
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._cleaned_at = 0.0

    def append(self, lines: bytes, *, sync: bool) -> None:
        """Store all of it or nothing, forced to disk when asked.

        Raises:
            AppendFailed: the database cannot be opened or written.
        """
        try:
            connection = self._opened()
            connection.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
            with connection:
                connection.executemany(_INSERT, _rows(lines))
            self._clean(connection)
        except (sqlite3.Error, OSError) as error:
            self.close()
            cause = error if isinstance(error, OSError) else OSError(errno.EIO, str(error))
            raise AppendFailed(cause) from error

    def close(self) -> None:
        """Close it; the next append opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._identity == identity_of(self.path):
                return self._connection
            self.close()  # removed: what is written there would be found by nobody
        self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, FILE_MODE))
        connection = sqlite3.connect(self.path, timeout=BUSY_S, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            _bring_up(connection)
        except BaseException:
            connection.close()
            raise
        self._identity = identity_of(self.path)
        self._connection = connection
        return connection

    def _clean(self, connection: sqlite3.Connection) -> None:
        """Let old records go, some at a time."""
        now = self._clock()
        if not self._keep_s or now - self._cleaned_at < CLEAN_EVERY_S:
            return
        oldest = now - self._keep_s
        query = "DELETE FROM audit_records WHERE id IN (SELECT id FROM audit_records WHERE at < ? ORDER BY at LIMIT ?)"
        with connection:
            gone = connection.execute(query, (oldest, CLEAN_AT_ONCE)).rowcount
        if gone < CLEAN_AT_ONCE:
            self._cleaned_at = now


def _bring_up(connection: sqlite3.Connection) -> None:
    """Make the table, in a database that is no newer than this program."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise OSError(errno.EINVAL, f"it is of a newer version of this program (schema {version})")
    if version < VERSION:
        connection.executescript(TABLE)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _rows(lines: bytes) -> Iterator[tuple[Any, ...]]:
    for line in lines.splitlines():
        if line:
            found = orjson.loads(line)
            at = datetime.fromisoformat(found["time"]).timestamp()
            yield (at, *(found.get(name, "") for name in COLUMNS[1:-1]), line.decode("ascii"))
