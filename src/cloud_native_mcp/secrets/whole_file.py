"""Files that others write while this server reads them: read whole or not at all, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

MAX_FILE_BYTES: Final = 1_000_000

Stamp = tuple[int, ...]
"""What changes when a file does: times of change, size, identity."""


def stamp_of(path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> Stamp:
    """The stamp of an ordinary small file, through symbolic links.

    Raises:
        OSError: it cannot be looked at.
        ValueError: it is no regular file, or too large.
    """
    info = path.stat()
    if not stat.S_ISREG(info.st_mode):
        raise ValueError("not a regular file")
    if info.st_size > max_bytes:
        raise ValueError(f"larger than {max_bytes:,} bytes")
    return (info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino, info.st_dev)


def read_whole(path: Path, stamp: Stamp, *, max_bytes: int = MAX_FILE_BYTES) -> str:
    """The text of the file that had this stamp.

    Raises:
        OSError: it cannot be read.
        ValueError: it changed meanwhile, is empty, or is not UTF-8.
    """
    content = path.read_bytes()
    if stamp_of(path, max_bytes=max_bytes) != stamp:
        raise ValueError("it is being written")
    if not content.strip(b"\r\n"):
        raise ValueError("it is empty")
    return content.decode()


def why_unreadable(error: OSError | ValueError) -> str:
    """The reason in words, without anything of the content."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return error.strerror or "it cannot be read" if isinstance(error, OSError) else str(error)


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file in one step, readable by its owner only; after a power cut it is the old or the new one.

    The file stays where a symbolic link leads, and with the owner it had.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; the file is as it was.
    """
    path = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.exists():
                known = path.stat()
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), known.st_uid, known.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
