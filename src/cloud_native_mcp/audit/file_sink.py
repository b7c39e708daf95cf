"""Appends lines to a file, or to standard output."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.audit.sink import AppendFailed

if TYPE_CHECKING:
    from pathlib import Path

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_STDOUT: Final = 1


class _NotForced(Exception):
    """Written, and perhaps not on the disk."""

    def __init__(self, cause: OSError) -> None:
        self.cause = cause
        super().__init__(str(cause))


class LineFile:
    """A file that lines are appended to. It is opened again when it was moved away or removed, as rotation does.

    A line that a crash or a full disk left unfinished is ended first, so that it spoils no other.

    Args:
        max_bytes: size at which the file is put aside; 0 leaves that to others.
        keep: files put aside that are kept, ``NAME.1`` the newest.
    """

    __slots__ = ("_descriptor", "_identity", "_keep", "_max_bytes", "_new", "path")

    def __init__(self, path: Path, *, max_bytes: int = 0, keep: int = 1) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._descriptor = -1
        self._identity = (0, 0)
        self._new = False

    def append(self, lines: bytes, *, sync: bool) -> None:
        """Write all of it, and force it to disk when asked.

        Raises:
            AppendFailed: the file cannot be opened, written or synced.
        """
        written = 0
        try:
            self._reopen()
            self._rotate(len(lines))
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:])
            if sync:
                self._force()
        except _NotForced as error:
            self.close()
            raise AppendFailed(
                error.cause, 0
            ) from error  # what became of it is not known: better twice than not at all
        except OSError as error:
            self.close()
            raise AppendFailed(error, written) from error

    def close(self) -> None:
        """Close the file; the next append opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _force(self) -> None:
        """To the disk with it, and with the name of a file that is new."""
        try:
            os.fsync(self._descriptor)
            if self._new:
                folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
                self._new = False
        except OSError as error:
            raise _NotForced(error) from error

    def _rotate(self, coming: int) -> None:
        """Put the file aside when what comes would make it too large."""
        size = os.fstat(self._descriptor).st_size if self._max_bytes else 0
        if not size or size + coming <= self._max_bytes:
            return
        self.close()
        for number in range(self._keep - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._aside(number).replace(self._aside(number + 1))
        self.path.replace(self._aside(1))
        self._reopen()

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def _reopen(self) -> None:
        if self._descriptor >= 0:
            if self._identity == identity_of(self.path):
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
        self._new = found.st_size == 0
        if found.st_size and os.pread(self._descriptor, 1, found.st_size - 1) != b"\n":
            os.write(self._descriptor, b"\n")


def identity_of(path: Path) -> tuple[int, int]:
    """Which file is at a path, so that one moved away or removed is told from the one that was opened."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


class StandardOutput:
    """A sink that writes lines to standard output, for whatever collects that."""

    def append(self, lines: bytes, *, sync: bool) -> None:
        """Write all of it; nothing is forced, since it is no file of this server's.

        Raises:
            AppendFailed: nobody reads it any more.
        """
        del sync
        written = 0
        try:
            while written < len(lines):
                written += os.write(_STDOUT, lines[written:])
        except OSError as error:
            raise AppendFailed(error, written) from error

    def close(self) -> None:
        """Standard output stays open."""
