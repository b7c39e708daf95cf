"""The ``grep`` argument: an expression that a line must, or with a leading ``!`` must not, hold."""

from __future__ import annotations

from typing import Final

from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.expressions import ExpressionRefused, compiled

LONGEST: Final = 1_000


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
        try:
            self._pattern = compiled(expression)
        except ExpressionRefused as error:
            text = f"not a regular expression of RE2 (no look-around, no back-references): {error}"
            raise InvalidArgument(field, text) from None

    def keeps(self, line: str) -> bool:
        """Whether the line is wanted."""
        return (self._pattern.search(line) is None) == self._inverted
