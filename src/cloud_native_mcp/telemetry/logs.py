"""Logs on standard error: one line a record, as text or JSON, with the ids of the request they belong to.

Control and invisible characters are shown as escapes, so what a caller sends cannot forge a line or act on a terminal.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.telemetry.config import LoggingConfig

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the call being worked on, set by the call chain."""
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""Trace the call belongs to, when the client told one."""

_TALKATIVE: Final = ("mcp", "sse_starlette")
"""Libraries that tell of each message, with its arguments at `debug`: only warnings, unless named in the settings."""

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)


def escape(text: str) -> str:
    """The text on one line, with control and invisible characters shown as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape", "surrogatepass").decode("ascii"), text)


class _Formatter(logging.Formatter):
    """What both formats share.

    Args:
        scrub: takes credentials out of a text.
    """

    def __init__(self, scrub: Callable[[str], str]) -> None:
        super().__init__()
        self._scrub = scrub

    def message(self, record: logging.LogRecord) -> str:
        return self._scrub(escape(record.getMessage()))

    def trace(self, record: logging.LogRecord) -> list[str]:
        """The lines of the record's exception, each safe."""
        if not record.exc_info:
            return []
        return [self._scrub(escape(line)) for line in self.formatException(record.exc_info).split("\n")]


class TextFormatter(_Formatter):
    """``time LEVEL logger message request=… trace=…``; lines of an exception follow, each behind a bar."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        line = f"{_time(record)} {record.levelname:<7} {record.name} {self.message(record)}"
        for name, value in _ids():
            line += f" {name}={escape(value)}"
        return "\n  | ".join([line, *self.trace(record)])


class JsonFormatter(_Formatter):
    """One JSON object a record, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        shown: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
            **dict(_ids()),
        }
        if trace := self.trace(record):
            shown["exception"] = trace
        return json.dumps(shown, ensure_ascii=True)


def configure(
    config: LoggingConfig, *, scrub: Callable[[str], str] = str, stream: TextIO | None = None
) -> logging.Handler:
    """Send all logs of the process to standard error in the configured form, in place of what was set up before.

    Args:
        scrub: takes credentials out of each message.
        stream: where to write instead of standard error.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(scrub) if config.format == "json" else TextFormatter(scrub))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(config.level.upper())
    quiet = max(root.level, logging.WARNING)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(quiet)
    for name, level in config.levels.items():
        logging.getLogger(name).setLevel(level.upper())
    return handler


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ids() -> list[tuple[str, str]]:
    return [(name, value) for name, value in (("request", request_id.get()), ("trace", trace_id.get())) if value]
