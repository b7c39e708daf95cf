"""The ``grep`` argument: an expression that a line must, or with a leading ``!`` must not, hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

import re2

from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = 1_000


class _Compiled(Protocol):
    def search(self, text: str, /) -> object | None:
        """A match anywhere in the text."""
        ...


_compile = cast("Callable[[str, re2.Options], _Compiled]", re2.compile)  # pyright: ignore[reportUnknownMemberType]
_Refused = cast("type[Exception]", re2.error)  # pyright: ignore[reportUnknownMemberType]


class Grep:
    """Chooses lines in time linear in their length.

    Raises:
        InvalidArgument: the expression is empty, too long, or not RE2.
    """

    __slots__ = ("_inverted", "_pattern")

    def __init__(self, text: str, *, field: str = "grep") -> None:
        self._inverted = text.startswith("!")
        expression = text.removeprefix("!")
        if not expression or len(expression) > LONGEST:
            raise InvalidArgument(field, f"must have 1 to {LONGEST} characters")
        options = re2.Options()
        options.log_errors = False
        try:
            self._pattern = _compile(expression, options)
        except _Refused as error:
            said = error.args[0] if error.args else b""
            reason = said.decode(errors="replace") if isinstance(said, bytes) else "malformed"
            text = f"not a regular expression of RE2 (no look-around, no back-references): {ascii(reason)[1:-1]}"
            raise InvalidArgument(field, text) from None

    def keeps(self, line: str) -> bool:
        """Whether the line is wanted."""
        return (self._pattern.search(line) is None) == self._inverted
