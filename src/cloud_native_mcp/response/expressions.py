"""Regular expressions of RE2's dialect, which Prometheus uses too; they run in time linear in the text."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, Protocol, cast

import re2

from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST: Final = 1000
_AT_ONCE: Final = 2000
_META: Final = frozenset("\\^$.|?*+()[]{}")


class Pattern(Protocol):
    """What is used of a compiled expression."""

    def search(self, text: str, /) -> object | None:
        """A match anywhere in the text."""
        ...

    def fullmatch(self, text: str, /) -> object | None:
        """A match of the whole text."""
        ...


_compile = cast("Callable[[str, re2.Options], Pattern]", re2.compile)  # pyright: ignore[reportUnknownMemberType]
_RefusedByRe2 = cast("type[Exception]", re2.error)  # pyright: ignore[reportUnknownMemberType]


class ExpressionRefused(Exception):
    """Not a regular expression of RE2; the text says why."""


def compiled(expression: str) -> Pattern:
    """A compiled expression.

    Raises:
        ExpressionRefused: malformed, too long, or too large for RE2.
    """
    if len(expression) > _LONGEST:
        raise ExpressionRefused(f"longer than {_LONGEST} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        return _compile(expression, options)
    except _RefusedByRe2 as error:
        said = error.args[0] if error.args else b""
        reason = said.decode(errors="replace") if isinstance(said, bytes) else "malformed"
        raise ExpressionRefused(ascii(reason)[1:-1]) from None


class Search:
    r"""What a ``search`` argument means: a substring without regard to letter case, or a regular expression.

    Args:
        text: plain text is a substring; text with one of ``\ ^ $ . | ? * + ( ) [ ] { }`` an expression that may match
            anywhere.

    Raises:
        InvalidArgument: the expression is malformed.
    """

    __slots__ = ("_folded", "_pattern", "expression", "text")

    def __init__(self, text: str, *, field: str) -> None:
        self.text = text
        plain = not _META & set(text)
        self._folded = text.casefold() if plain else None
        self.expression = f"(?i:{re.escape(text)})" if plain else text
        try:
            self._pattern = compiled(self.expression)
        except ExpressionRefused as error:
            shown = ascii(text[:60])
            raise InvalidArgument(field, f"{shown} is not a regular expression of RE2 ({error})") from None

    def finds(self, text: str) -> bool:
        """Whether the text holds a match."""
        if self._folded is not None:
            return self._folded in text.casefold()
        return self._pattern.search(text) is not None

    async def among(self, texts: Sequence[str]) -> list[str]:
        """Those of many texts that hold a match; other calls go on meanwhile."""
        found: list[str] = []
        for at in range(0, len(texts), _AT_ONCE):
            found += [text for text in texts[at : at + _AT_ONCE] if self.finds(text)]
            await asyncio.sleep(0)
        return found

    @property
    def anchored(self) -> str:
        """An expression for an engine that matches whole values."""
        return f".*(?:{self.expression}).*"
