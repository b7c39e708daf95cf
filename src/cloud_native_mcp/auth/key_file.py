"""The file of API keys (``auth.key_file``): JSON with the hashes of keys, never a key.

Servers read it, commands (``cloud-native-mcp keys``) change it. It is replaced in one step under a lock, so several
commands at once lose nothing, and a server sees all of a change or nothing of it.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from cloud_native_mcp.auth.key_digest import HASH
from cloud_native_mcp.auth.validity import Validity, checked_scope
from cloud_native_mcp.errors import ConfigError, Problem
from cloud_native_mcp.secrets.whole_file import read_whole, stamp_of, why_unreadable, write_whole

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from cloud_native_mcp.secrets.whole_file import Stamp

SETTING: Final = "auth.key_file"
MAX_BYTES: Final = 16_000_000
"""About fifty thousand keys."""

_WRITABLE_BY_OTHERS: Final = 0o022

_Hash = Annotated[str, msgspec.Meta(pattern=HASH)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class StoredKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key at rest.

    Attributes:
        id: whom the key stands for.
        key_id: the visible part of the key.
        replaced_by: the key id of its successor, while both are good.
    """

    id: str
    key_id: str
    hash: _Hash
    created: _Moment
    not_before: _Moment | None = None
    expires: _Moment | None = None
    revoked: _Moment | None = None
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    replaced_by: str = ""

    @property
    def validity(self) -> Validity:
        """When the key is good."""
        return Validity(self.not_before, self.expires, self.revoked)


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    keys: tuple[StoredKey, ...]


_decode = msgspec.json.Decoder(_Content).decode


class KeyFile:
    """The keys in one file; a file that is not there holds none."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()
        self._read: tuple[Stamp, tuple[StoredKey, ...]] | None = None

    def read(self) -> tuple[StoredKey, ...]:
        """All keys of the file as it is now; the same tuple as before while the file is unchanged.

        Raises:
            ConfigError: it cannot be read, is being written, is no key file, or can be written by others.
        """
        try:
            stamp = stamp_of(self.path, max_bytes=MAX_BYTES)
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, self._parse(stamp))
            return self._read[1]
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            raise _unusable(f"{self.path}: {why_unreadable(error)}") from None

    def _parse(self, stamp: Stamp) -> tuple[StoredKey, ...]:
        if self.path.stat().st_mode & _WRITABLE_BY_OTHERS:
            raise ValueError(f"others can write it: chmod 600 {self.path}")
        return _parsed(read_whole(self.path, stamp, max_bytes=MAX_BYTES))

    @contextmanager
    def changing(self) -> Generator[list[StoredKey]]:
        """The keys, to be changed in place; they are written when the block ends well. One command at a time.

        Raises:
            ConfigError: as `read`, or the folder cannot be written to.
        """
        try:
            lock = self.path.with_name(f".{self.path.name}.lock").open("a", encoding="utf-8")
        except OSError as error:
            raise _unusable(f"{self.path.parent}: {why_unreadable(error)}") from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = list(self.read())
            yield keys
            try:
                write_whole(self.path, msgspec.json.format(msgspec.json.encode(_Content(1, tuple(keys)))) + b"\n")
            except OSError as error:
                raise _unusable(f"{self.path}: {why_unreadable(error)}") from None


def _parsed(text: str) -> tuple[StoredKey, ...]:
    """The keys in a text.

    Raises:
        ValueError: it is no key file; the reason holds no value of it.
    """
    try:
        keys = _decode(text).keys
    except msgspec.DecodeError as error:
        raise ValueError(f"it is no file of API keys ({error})") from None
    for key in keys:
        for scope in key.scopes or ():
            checked_scope(scope)
    return keys


def _unusable(text: str) -> ConfigError:
    return ConfigError([Problem(SETTING, text)])
