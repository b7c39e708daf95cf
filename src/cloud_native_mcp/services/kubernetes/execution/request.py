"""What a caller asks to be run, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_COMMAND_BYTES: Final = 32_000
"""The command travels in the address of the request."""
MOST_STDIN_BYTES: Final = 256_000
_SHOWN_COMMAND: Final = 300


@dataclass(frozen=True, slots=True)
class Request:
    """A command, its input (None: none), and the seconds it may take."""

    command: Sequence[str]
    stdin: bytes | None
    seconds: float

    @property
    def shown(self) -> str:
        """The command on one line, as a JSON list; cut when it is long."""
        text = msgspec.json.encode(list(self.command)).decode()
        return text if len(text) <= _SHOWN_COMMAND else f"{text[:_SHOWN_COMMAND]}… ({len(self.command)} words)"

    @property
    def input(self) -> str:
        """A line about the input; empty without one."""
        return f"standard input: {len(self.stdin)} bytes" if self.stdin is not None else ""


def check_command(command: Sequence[str]) -> Sequence[str]:
    """The command, as given.

    Raises:
        InvalidArgument: it is empty, too long, or holds what no process can be given.
    """
    if not command or not command[0].strip():
        raise InvalidArgument("command", 'is empty; give the program and its arguments, e.g. ["df", "-h"]')
    if any("\0" in word for word in command):
        raise InvalidArgument("command", "holds a NUL character, which no program can be given")
    size = sum(len(word.encode()) for word in command)
    if size > MOST_COMMAND_BYTES:
        raise InvalidArgument("command", f"has {size} bytes, at most {MOST_COMMAND_BYTES}; send long text by stdin")
    return command


def check_stdin(text: str) -> bytes:
    """The input as bytes.

    Raises:
        InvalidArgument: it is too long.
    """
    data = text.encode()
    if len(data) > MOST_STDIN_BYTES:
        raise InvalidArgument("stdin", f"has {len(data)} bytes, at most {MOST_STDIN_BYTES}")
    return data
