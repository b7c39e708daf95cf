"""Web pages as Markdown or plain text, made while the tokens pass: flat memory, no recursion, yields to other calls."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin

from cloud_native_mcp.services.utilities.html_tables import TableRows
from cloud_native_mcp.services.utilities.html_tokens import Characters, End, Start, Token, tokens

_TOKENS_PER_STEP: Final = 500
_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_HARD_BREAK: Final = "\x00"
_SKIPPED: Final = frozenset(
    {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "audio", "video", "select",
     "textarea", "xmp", "noembed", "noframes"}
)  # fmt: skip
_BLOCKS: Final = frozenset(
    {"p", "div", "section", "article", "header", "footer", "main", "aside", "nav", "figure", "figcaption", "address",
     "dl", "dt", "dd", "fieldset", "form", "details", "summary", "hgroup", "body", "html", "center", "option", "legend"}
)  # fmt: skip
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_MARKS: Final = {"b": "**", "strong": "**", "i": "*", "em": "*", "del": "~~", "s": "~~"} | dict.fromkeys(
    ("code", "kbd", "samp"), "`"
)
_DEEPEST: Final = 12
_LONGEST_BLOCK: Final = 50_000
"""Characters after which a block ends by force, so that no single step takes long."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A page's title and its text."""

    title: str
    text: str


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int = 1


@dataclass(slots=True)
class _Link:
    href: str
    start: int


async def convert(html: str, *, base_url: str, plain: bool = False) -> Converted:
    """A page as Markdown.

    Args:
        html: the whole page.
        base_url: where it came from; links are made absolute with it.
        plain: leave out all marks, links and pictures.
    """
    writer = _Writer(base_url, plain=plain)
    for at, token in enumerate(tokens(html.replace(_HARD_BREAK, ""))):
        writer.take(token)
        if at % _TOKENS_PER_STEP == 0:
            await asyncio.sleep(0)
    return writer.finish()


@dataclass
class _Writer:
    """Turns tokens into lines. ``inline`` is the text of the block that is being read."""

    base_url: str
    plain: bool
    title: str = ""
    blocks: list[str] = field(default_factory=list[str])
    inline: list[str] = field(default_factory=list[str])
    inline_size: int = 0
    after_item: bool = False
    lists: list[_List] = field(default_factory=list[_List])
    quotes: int = 0
    heading: int = 0
    bullet: str = ""
    skipping: str = ""
    skipped_depth: int = 0
    preformatted: bool = False
    in_title: bool = False
    links: list[_Link] = field(default_factory=list[_Link])
    tables: TableRows = field(default_factory=TableRows)

    def take(self, token: Token) -> None:
        """Go on by one token."""
        if self.skipping:
            self._skip(token)
        elif isinstance(token, Characters):
            self._characters(token.text)
        elif isinstance(token, Start):
            self._start(token)
        else:
            self._end(token.name)

    def finish(self) -> Converted:
        """What was read, once all tokens are taken."""
        if self.preformatted:
            self._end_preformatted()
        while self.tables.depth:
            self._end_table()
        self._flush()
        return Converted(_SPACE.sub(" ", self.title).strip(), "".join(self.blocks))

    def _skip(self, token: Token) -> None:
        if isinstance(token, Start) and token.name == self.skipping:
            self.skipped_depth += 1
        elif isinstance(token, End) and token.name == self.skipping:
            self.skipped_depth -= 1
            if not self.skipped_depth:
                self.skipping = ""

    def _characters(self, text: str) -> None:
        if self.in_title:
            self.title = self.title or text[:500]
        else:
            self.inline.append(text)
            self.inline_size += len(text)
            if self.inline_size > _LONGEST_BLOCK and not self.preformatted and not self.tables.cell_open:
                self._flush()

    def _start(self, token: Start) -> None:
        name = token.name
        if name in _SKIPPED:
            self.skipping, self.skipped_depth = name, 1
        elif name == "title":
            self.in_title = True
        elif name == "base":
            self.base_url = self._absolute(token.attributes.get("href", "")) or self.base_url
        elif self.preformatted:
            self._inside_preformatted(name)
        elif self.tables.start(name):
            self._start_table_part(name)
        elif name == "br":
            self.inline.append(_HARD_BREAK)
        elif name == "img":
            self._image(token)
        elif name == "a":
            self.links.append(_Link(token.attributes.get("href", ""), len(self.inline)))
        elif name in _MARKS:
            self._mark(_MARKS[name])
        else:
            self._start_block(token)

    def _start_block(self, token: Start) -> None:
        name = token.name
        if name in _HEADINGS:
            self._flush()
            self.heading = _HEADINGS[name]
        elif name in {"ul", "ol", "menu"}:
            self._flush()
            start = token.attributes.get("start", "")
            self.lists.append(_List(name == "ol", int(start) if start.isascii() and start.isdigit() else 1))
        elif name == "li":
            self._flush()
            self.bullet = self._next_bullet()
        elif name == "blockquote":
            self._flush()
            self.quotes += 1
        elif name == "pre":
            self._flush()
            self.preformatted = True
        elif name == "hr":
            self._flush()
            self._emit("---")
        elif name in _BLOCKS:
            self._flush()

    def _end(self, name: str) -> None:
        if name == "title":
            self.in_title = False
        elif self.preformatted:
            if name == "pre":
                self._end_preformatted()
        elif self.tables.end(name):
            self._end_table_part(name)
        elif name == "a" and self.links:
            self._end_link(self.links.pop())
        elif name in _MARKS:
            self._mark(_MARKS[name])
        elif name in {"ul", "ol", "menu"}:
            self._flush()
            self.lists = self.lists[:-1]
            self.bullet = ""
        elif name == "blockquote":
            self._flush()
            self.quotes = max(0, self.quotes - 1)
        elif name in _BLOCKS or name in _HEADINGS or name == "li":
            self._flush()

    def _mark(self, mark: str) -> None:
        """Open or close a mark; a pair with nothing between is taken back."""
        if self.plain:
            return
        if self.inline and self.inline[-1] == mark:
            self.inline.pop()
        else:
            self.inline.append(mark)

    def _end_link(self, link: _Link) -> None:
        text = self._collapsed(self.inline[link.start :])
        target = "" if self.plain else self._absolute(link.href)
        if text and target and text != target:
            shown = text.replace(_HARD_BREAK, " ")
            self.inline[link.start :] = [f"[{shown}]({target})"]

    def _image(self, token: Start) -> None:
        alternative = _SPACE.sub(" ", token.attributes.get("alt", "")).strip()
        source = self._absolute(token.attributes.get("src", ""))
        if alternative:
            self.inline.append(alternative if self.plain or not source else f"![{alternative}]({source})")

    def _absolute(self, href: str) -> str:
        """An http address for a link, or nothing: for fragments, scripts, data and what is no address."""
        trimmed = href.strip()
        if not trimmed or trimmed.startswith("#"):
            return ""
        try:
            target = urljoin(self.base_url, trimmed)
        except ValueError:
            return ""
        if not target.startswith(("http://", "https://")) or len(target) > 2_000:
            return ""
        return target.replace(" ", "%20").replace("(", "%28").replace(")", "%29")

    def _next_bullet(self) -> str:
        if not self.lists:
            return "- "
        current = self.lists[-1]
        if not current.ordered:
            return "- "
        current.number += 1
        return f"{current.number - 1}. "

    def _inside_preformatted(self, name: str) -> None:
        if name == "br":
            self.inline.append("\n")

    def _end_preformatted(self) -> None:
        text = "".join(self.inline).replace(_HARD_BREAK, "\n").strip("\n")
        self.inline, self.preformatted = [], False
        if not text.strip():
            return
        if self.plain:
            self._emit(text)
            return
        fence = "```"
        while fence in text and len(fence) < 20:
            fence += "`"
        self._emit(f"{fence}\n{text}\n{fence}")

    def _start_table_part(self, name: str) -> None:
        if name == "table":
            self._flush()
        elif self.tables.depth == 1 and name in {"td", "th"}:
            self._end_cell()
            self.tables.open_cell()
        elif self.tables.depth == 1 and name == "tr":
            self._end_cell()
            self.tables.end_row()
        else:
            self.inline.append(" ")

    def _end_table_part(self, name: str) -> None:
        if name == "table":
            self._end_table()
        elif self.tables.depth == 1:
            self._end_cell()
            if name == "tr":
                self.tables.end_row()
        else:
            self.inline.append(" ")

    def _end_cell(self) -> None:
        if self.tables.cell_open:
            self.tables.add_cell(self._collapsed(self.inline).replace(_HARD_BREAK, " "))
            self.inline, self.links = [], []

    def _end_table(self) -> None:
        if self.tables.depth == 1:
            self._end_cell()
            for block in self.tables.finish(plain=self.plain):
                self._emit(block)
        self.tables.close()

    def _collapsed(self, parts: list[str]) -> str:
        return _SPACE.sub(" ", "".join(parts)).strip()

    def _flush(self) -> None:
        """End the block that is being read; inside a table cell blocks are only spaces."""
        if self.tables.cell_open:
            self.inline.append(" ")
            return
        text = self._collapsed(self.inline)
        self.inline, self.links, self.inline_size = [], [], 0
        heading, self.heading = self.heading, 0
        if not text.strip("*`~" + _HARD_BREAK + " "):
            return
        lines = "\n".join(line.strip() for line in text.split(_HARD_BREAK)).strip("\n")
        self._emit(f"{'#' * heading} {lines.replace(chr(10), ' ')}" if heading and not self.plain else lines)

    def _emit(self, block: str) -> None:
        """Add a block under the marks of the lists and quotes around it."""
        indent = "  " * min(len(self.lists) - 1, _DEEPEST) if self.lists else ""
        quote = "" if self.plain else "> " * min(self.quotes, _DEEPEST)
        hang = " " * len(self.bullet) if self.bullet else ("  " if self.lists else "")
        first, *rest = block.split("\n")
        item = bool(self.bullet)
        lead = self.bullet or hang
        lines = [f"{quote}{indent}{lead}{first}", *(f"{quote}{indent}{hang}{line}" for line in rest)]
        self.bullet = ""
        separator = ("\n" if item and self.after_item else "\n\n") if self.blocks else ""
        self.after_item = item
        self.blocks.append(separator + "\n".join(lines))
