"""The rules from a file of their own: read again when it changed, whole and valid or not at all."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from cloud_native_mcp.contract import yaml
from cloud_native_mcp.errors import ConfigError, InvalidArgument, Problem
from cloud_native_mcp.routing.permissions.config import Policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)

REFRESH_S: Final = 5.0
"""Seconds after which the file is looked at again."""
MAX_BYTES: Final = 4_000_000

_Stamp = tuple[int, int, int]


class PolicyFile:
    """The rules as the file holds them.

    Args:
        clock: monotonic seconds.

    Raises:
        ConfigError: it cannot be read, or names every mistake in it.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path.expanduser()
        self._clock = clock
        self._stamp: _Stamp | None = None
        self._looked_at = clock()
        self.policy = self._read()

    def refresh(self) -> bool:
        """Look at the file when it is time to; whether there are new rules. A mistake is logged and changes nothing."""
        if self._clock() - self._looked_at < REFRESH_S:
            return False
        self._looked_at = self._clock()
        before = self._stamp
        try:
            if self._stamp_now() == before:
                return False
            self.policy = self._read()
        except ConfigError as error:
            logger.error("the rules read before stay: %s", error)  # noqa: TRY400 - the text says it all
            return False
        logger.warning("the rules of %s are in force now", self._path.name)
        return True

    def _stamp_now(self) -> _Stamp:
        try:
            info = self._path.stat()
        except OSError as error:
            self._stamp = None  # told once for each look: who has to mend it should see it
            raise self._unusable(error.strerror or "cannot be read") from None
        return (info.st_mtime_ns, info.st_size, info.st_ino)

    def _read(self) -> Policy:
        self._stamp = self._stamp_now()
        try:
            content = self._path.read_bytes()
            if len(content) > MAX_BYTES:
                raise self._unusable(f"is larger than {MAX_BYTES:,} bytes")
            value = yaml.load_one(content.decode("utf-8-sig"), field="policy")
        except OSError as error:
            raise self._unusable(error.strerror or "cannot be read") from None
        except UnicodeDecodeError:
            raise self._unusable("is not UTF-8 text") from None
        except InvalidArgument as error:
            raise self._unusable(error.text) from None
        if self._stamp_now() != self._stamp:
            raise self._unusable("it is being written")
        try:
            return Policy.model_validate(value)
        except ValidationError as error:
            raise ConfigError(
                [self._problem(one["loc"], one["msg"]) for one in error.errors(include_input=False)]
            ) from None

    def _problem(self, where: tuple[int | str, ...], text: str) -> Problem:
        dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
        return Problem(f"{self._path.name}{dotted and ': '}{dotted.lstrip('.')}", text.removeprefix("Value error, "))

    def _unusable(self, text: str) -> ConfigError:
        return ConfigError([Problem("permissions.policy_file", f"{self._path.name}: {text}")])
