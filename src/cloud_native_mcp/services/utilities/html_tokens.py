"""HTML as a flat run of tokens, in time linear in its length whatever it holds.

Not a browser's parser: no tree, no repair. Every byte is passed once; a comment, tag or script that never ends takes
the rest of the page with it, as the HTML standard has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"[a-zA-Z][^\s/>]{0,60}")
_ATTRIBUTE = re.compile(r"""[\s/]{0,1000}+([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?""")
_TAG_END = re.compile(r"[\s/]{0,1000}+>")
_RAW: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript")
}
"""Elements whose content is text up to their end tag, and what finds that end."""
_KEPT_ATTRIBUTES: Final = frozenset({"href", "src", "alt", "charset", "start"})
_MOST_ATTRIBUTES: Final = 200
_LONGEST_TEXT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Characters:
    """Text with its character references resolved."""

    text: str


@dataclass(frozen=True, slots=True)
class Start:
    """A start tag; the name is in lower case, only attributes that matter here are kept."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class End:
    """An end tag."""

    name: str


Token = Characters | Start | End


def tokens(html: str) -> Iterator[Token]:
    """The tokens of a page, in order; comments, declarations and processing instructions are left out."""
    at, length = 0, len(html)
    while at < length:
        tag = html.find("<", at)
        tag = length if tag < 0 else tag
        for piece in range(at, tag, _LONGEST_TEXT):
            yield Characters(unescape(html[piece : min(tag, piece + _LONGEST_TEXT)]))
        if tag == length:
            return
        token, at = _markup(html, tag)
        if token is not None:
            yield token
        if isinstance(token, Start) and token.name in _RAW:
            end = _RAW[token.name].search(html, at)
            until = end.start() if end else length
            if token.name in {"title", "textarea"}:
                yield Characters(unescape(html[at:until]))
            at = until


def _markup(html: str, at: int) -> tuple[Token | None, int]:
    """The token that starts with the ``<`` at a position, and where it ends."""
    following = html[at + 1 : at + 2]
    if html.startswith("<!--", at):
        return None, _after(html, "-->", at + 4)
    if following in {"!", "?"}:
        return None, _after(html, ">", at + 1)
    if following == "/":
        name = _NAME.match(html, at + 2)
        return (End(name[0].lower()) if name else None), _after(html, ">", at + 2)
    name = _NAME.match(html, at + 1)
    if name is None:
        return Characters("<"), at + 1
    attributes, end = _attributes(html, name.end())
    return Start(name[0].lower(), attributes), end


def _attributes(html: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes from a position on, and where their tag ends."""
    found: dict[str, str] = {}
    for _ in range(_MOST_ATTRIBUTES):
        if (end := _TAG_END.match(html, at)) is not None:
            return found, end.end()
        match = _ATTRIBUTE.match(html, at)
        if match is None:
            break
        at = match.end()
        name = match[1].lower()
        if name in _KEPT_ATTRIBUTES:
            found.setdefault(name, unescape(next((value for value in match.groups()[1:] if value is not None), "")))
    return found, _after(html, ">", at)


def _after(html: str, mark: str, start: int) -> int:
    """The position after the next mark; the end of the page when there is none."""
    found = html.find(mark, start)
    return len(html) if found < 0 else found + len(mark)
