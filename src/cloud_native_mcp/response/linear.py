"""Regular expressions that run in time linear in the text, whatever the text (RE2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import re2

if TYPE_CHECKING:
    from collections.abc import Callable


class Match(Protocol):
    """What is used of a match."""

    def group(self, number: int = 0, /) -> str | None:
        """The text of a group; 0 is the whole match."""
        ...


class Pattern(Protocol):
    """What is used of a compiled expression."""

    def search(self, text: str, /) -> Match | None:
        """The first match anywhere in the text."""
        ...

    def sub(self, replacement: str | Callable[[Match], str], text: str, /) -> str:
        """The text with every match replaced."""
        ...


def linear(expression: str) -> Pattern:
    """The compiled expression: RE2 syntax, so no look-around and no back-references."""
    return cast("Pattern", re2.compile(expression))  # pyright: ignore[reportUnknownMemberType]
