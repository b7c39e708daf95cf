"""Web pages as Markdown or plain text. All but small pages are converted in a process of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from html_to_markdown import ConversionOptions, PreprocessingOptions, convert
from html_to_markdown.exceptions import ConversionError
from msgspec import Struct

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.utilities.media import text_of

if TYPE_CHECKING:
    from cloud_native_mcp.upstream.bounded_process import BoundedProcess

_INLINE: Final = 10_000
"""Bytes up to which a page is converted in this process: a few milliseconds, at worst about 25."""
_DEEPEST: Final = 150
"""Elements inside one another that are read. What the converter needs can grow with the cube of it."""
_HEAD: Final = 100_000
"""Characters in which the title is looked for."""
_LONGEST_TITLE: Final = 500
_LEFT_OUT: Final = ["svg", "iframe", "video", "audio", "object", "canvas", "select", "textarea"]


class WebText(Struct, frozen=True):
    """A page's title and its text. ``cut`` tells that elements too deep inside others were left out."""

    title: str
    text: str
    cut: bool


async def web_text(body: bytes, charset: str, base_url: str, process: BoundedProcess, *, plain: bool) -> WebText:
    """A page as Markdown, or as plain text.

    Args:
        body: the whole page.
        charset: as its header says, or empty.
        base_url: where it came from; links are made absolute with it.
        plain: leave out all marks, links and pictures.

    Raises:
        ToolError: ``unsupported_type`` when the page is no HTML, ``too_large`` when it needs too much memory or time.
    """
    if len(body) <= _INLINE:
        return to_text(body, charset, base_url, plain)
    return await process.run(WebText, to_text, body, charset, base_url, plain)


def to_text(body: bytes, charset: str, base_url: str, plain: bool) -> WebText:  # noqa: FBT001 - called across processes
    """As `web_text`, in this process."""
    html = text_of(body, charset).replace("\x00", "")
    options = ConversionOptions(
        output_format="plain" if plain else "markdown",
        base_url=base_url,
        bullets="-",
        compact_tables=True,
        inline_data_media="alt_text_only",
        exclude_selectors=_LEFT_OUT,
        preprocessing=PreprocessingOptions(enabled=False),
        extract_metadata=False,
        max_depth=_DEEPEST,
    )
    try:
        result = convert(html, options)
        title = _title(html)
    except ConversionError:
        raise ToolError("unsupported_type", "the page is not HTML that can be read; use raw", kind="final") from None
    cut = any(str(warning.kind) == "depth_limit_exceeded" for warning in result.warnings)
    return WebText(title, (result.content or "").strip(), cut)


def _title(html: str) -> str:
    """The title alone: asked for along with Markdown, the page's metadata would be written above its text."""
    options = ConversionOptions(output_format="plain", max_depth=_DEEPEST)
    document = convert(html[:_HEAD], options).metadata.document
    return " ".join((document.title or "").split())[:_LONGEST_TITLE]
