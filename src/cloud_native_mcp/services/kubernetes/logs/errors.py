"""Which lines of a log tell of an error, with the lines that belong to them (stack traces)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.response.linear import linear

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_native_mcp.services.kubernetes.logs.reading import Line

LONGEST_BLOCK: Final = 60
_BAD: Final = r"(?:error|err|fatal|panic|critical|crit|severe|emerg|emergency|alert)"
_LEVEL: Final = r"""["']?(?:level|lvl|severity|log\.level|loglevel)["']?[ \t]*[=:][ \t]*["']?"""
_ERROR: Final = linear(
    r"\b(?:ERROR|ERR|FATAL|PANIC|CRITICAL|CRIT|SEVERE|EMERG|ALERT)\b"
    rf"|(?i:{_LEVEL}{_BAD}\b)"
    r"|^[EF]\d{4} \d\d:\d\d:\d\d"  # klog
    r"|^(?i:error|fatal|panic)\b|\[(?i:error|fatal|crit|emerg|alert)\]"
    r"|^Traceback \(most recent call last\)|\b[A-Z]\w*(?:Error|Exception)\b|\bException in thread\b"
    r"|(?i:\bpanic: |\bfatal error\b|\bunhandled (?:exception|rejection)\b|\bsegmentation fault\b|\bout of memory\b)"
)
_HARMLESS: Final = linear(
    rf"\b(?:TRACE|DEBUG|INFO|NOTICE)\b|(?i:{_LEVEL}(?:trace|debug|info|notice)\b)|^[ID]\d{{4}} \d\d:\d\d:\d\d"
)
_GOES_ON: Final = linear(r"^(?:[ \t]+\S|Caused by: |Traceback \(most|at \S+\(|goroutine \d+ |\.\.\. \d+ more)")
_ENDS_TRACE: Final = linear(r"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning)\b")
"""The last line of a Python stack trace; it follows an indented one."""


def is_error(text: str) -> bool:
    """Whether a line by itself tells of an error. A line that names a harmless level does not."""
    return _ERROR.search(text) is not None and _HARMLESS.search(text) is None


class ErrorBlocks:
    """Errors with the lines that belong to each, in order; a block is at most `LONGEST_BLOCK` lines long."""

    def __init__(self) -> None:
        self.blocks: list[list[Line]] = []
        self._goes_on = False

    def add(self, lines: Iterable[Line]) -> None:
        """Look at further lines of the same log."""
        for line in lines:
            if self._goes_on and self._belongs(line.text):
                if len(self.blocks[-1]) < LONGEST_BLOCK:
                    self.blocks[-1].append(line)
                continue
            self._goes_on = is_error(line.text)
            if self._goes_on:
                self.blocks.append([line])

    def _belongs(self, text: str) -> bool:
        if _GOES_ON.search(text) is not None:
            return True
        return self.blocks[-1][-1].text[:1] in {" ", "\t"} and _ENDS_TRACE.search(text) is not None


def error_blocks(lines: Iterable[Line]) -> list[list[Line]]:
    """The errors of some lines of one log."""
    found = ErrorBlocks()
    found.add(lines)
    return found.blocks
