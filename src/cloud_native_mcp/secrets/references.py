"""Resolves references to secrets: ``env:NAME``, ``file:/path``, or the value itself."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

ENVIRONMENT: Final = "env:"
FILE: Final = "file:"
MAX_FILE_BYTES: Final = 1_000_000

_Stamp = tuple[int, int, int]


class SecretStore:
    """Reads secrets (`contract.service.SecretReader`).

    A file is read again when it changed. While it is missing, empty or being written, the last whole value stays in
    use, so that a rotation in progress breaks nothing.

    Args:
        environ: where ``env:`` references look; the process's own environment by default.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._files: dict[str, tuple[_Stamp, str]] = {}
        self._told: set[str] = set()

    def read(self, reference: str) -> str:
        """The secret now, without the line end that editors leave behind.

        Raises:
            ConfigError: the variable or file is missing, empty or not text. The value itself is never in the text.
        """
        if reference.startswith(ENVIRONMENT):
            return self._read_variable(reference)
        if reference.startswith(FILE):
            return self._read_file(reference)
        if not reference:
            raise _unusable("secret", "is empty")
        return reference

    def _read_variable(self, reference: str) -> str:
        name = reference.removeprefix(ENVIRONMENT)
        value = self._environ.get(name)
        if not value:
            raise _unusable(reference, "the environment variable is not set" if value is None else "it is empty")
        return value

    def _read_file(self, reference: str) -> str:
        path = Path(reference.removeprefix(FILE)).expanduser()
        kept = self._files.get(reference)
        try:
            stamp = _stamp(path)
            if kept is not None and kept[0] == stamp:
                return kept[1]
            text = _whole_text(path, stamp)
        except (OSError, ValueError) as error:
            if kept is None:
                raise _unusable(reference, _why(error)) from None
            self._tell_once(reference, _why(error))
            return kept[1]
        self._told.discard(reference)
        self._files[reference] = (stamp, text)
        return text

    def _tell_once(self, reference: str, why: str) -> None:
        if reference not in self._told:
            self._told.add(reference)
            logger.warning("secret %s: %s; the value read before stays in use", reference, why)


def _stamp(path: Path) -> _Stamp:
    """What changes when the file does: time of change, size, identity."""
    info = path.stat()
    if not stat.S_ISREG(info.st_mode):
        raise ValueError("not a regular file")
    if info.st_size > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES:,} bytes")
    return (info.st_mtime_ns, info.st_size, info.st_ino)


def _whole_text(path: Path, stamp: _Stamp) -> str:
    content = path.read_bytes()
    if _stamp(path) != stamp or len(content) != stamp[1]:
        raise ValueError("it is being written")
    text = content.decode().rstrip("\r\n")
    if not text:
        raise ValueError("it is empty")
    return text


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return error.strerror or "it cannot be read" if isinstance(error, OSError) else str(error)


def _unusable(reference: str, why: str) -> ConfigError:
    return ConfigError([Problem(reference, why)])
