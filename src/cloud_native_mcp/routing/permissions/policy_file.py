"""The rules from a file of their own: read again when it changed, whole and valid or not at all."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from cloud_native_mcp.contract import yaml
from cloud_native_mcp.errors import ConfigError, InvalidArgument, Problem
from cloud_native_mcp.routing.permissions.config import Policy
from cloud_native_mcp.secrets.whole_file import read_whole, stamp_of, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloud_native_mcp.secrets.whole_file import Stamp

logger = logging.getLogger(__name__)

REFRESH_S: Final = 5.0
"""Seconds after which the file is looked at again."""
MAX_BYTES: Final = 4_000_000


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
        self._stamp: Stamp | None = None
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

    def _stamp_now(self) -> Stamp:
        try:
            return stamp_of(self._path, max_bytes=MAX_BYTES)
        except (OSError, ValueError) as error:
            self._stamp = None  # told at each look: who has to mend it should see it
            raise self._unusable(why_unreadable(error)) from None

    def _read(self) -> Policy:
        self._stamp = self._stamp_now()
        try:
            text = read_whole(self._path, self._stamp, max_bytes=MAX_BYTES)
            value = yaml.load_one(text.removeprefix("\ufeff"), field="policy")
        except (OSError, ValueError) as error:
            raise self._unusable(why_unreadable(error)) from None
        except InvalidArgument as error:
            raise self._unusable(error.text) from None
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
