"""Public pages as text: fetched within limits, decoded, converted, and kept a minute for the same caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cloud_native_mcp.contract.jsonpath import parse_jsonpath
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.utilities.json_part import json_part
from cloud_native_mcp.services.utilities.media import is_binary, is_html, may_be_text, media_type, text_of
from cloud_native_mcp.services.utilities.web_text import to_text, web_text
from cloud_native_mcp.upstream.bounded_process import BoundedProcess

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import Cache
    from cloud_native_mcp.upstream.public_fetch import PublicAnswer, PublicFetcher

Form = Literal["markdown", "text", "raw", "json"]

MOST_BYTES: Final = 5_000_000
MOST_SECONDS: Final = 15.0
_KEPT_SECONDS: Final = 60.0
_ERROR_HEAD: Final = 300


@dataclass(frozen=True, slots=True)
class Source:
    """What a server answered: ``body`` decoded from its content coding."""

    url: str
    status: int
    kind: str
    charset: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """A page as text. ``size`` is the bytes of the body it was made from; ``cut`` as in `WebText`."""

    url: str
    status: int
    kind: str
    title: str
    text: str
    size: int
    cut: bool = False


class Pages:
    """Gets pages.

    Args:
        fetcher: the guarded way to the network.
        cache: keeps pages for a minute, by caller.
        enabled: whether the operator allows fetching at all.
    """

    def __init__(self, fetcher: PublicFetcher, cache: Cache, *, enabled: bool = True) -> None:
        self._fetcher = fetcher
        self._cache = cache
        self._enabled = enabled
        self._process = BoundedProcess()

    async def get(self, url: str, *, form: Form, path: str | None, caller: str, deadline: Deadline) -> Page:
        """A page in one form.

        Args:
            path: JSONPath, for ``json``.
            caller: whose copy may be reused.
            deadline: of the call; a page takes at most 15 s of it.

        Raises:
            ToolError: as `PublicFetcher.get` and `PublicAnswer.read`; ``http_status``, ``unsupported_type``,
                ``denied_by_policy``; for ``json`` as `json_part`, else as `web_text`.
        """
        if not self._enabled:
            raise ToolError("denied_by_policy", "fetching is switched off on this server")
        if path is not None:
            parse_jsonpath(path, field="select")
        soon = deadline.sooner(MOST_SECONDS)
        try:
            async with soon.enforce():
                source = await self._source(url, caller, soon)
                return await self._cache.fetch(
                    "utilities.pages",
                    (caller, url, form, path),
                    lambda: self._page(source, form, path),
                    ttl=_KEPT_SECONDS,
                    size=lambda page: 2 * len(page.text),
                )
        except TimeoutError:
            raise ToolError("timeout", f"the page took longer than {MOST_SECONDS:g} s to fetch and read") from None

    async def _source(self, url: str, caller: str, deadline: Deadline) -> Source:
        return await self._cache.fetch(
            "utilities.sources",
            (caller, url),
            lambda: self._load(url, deadline),
            ttl=_KEPT_SECONDS,
            size=lambda source: len(source.body),
        )

    async def _load(self, url: str, deadline: Deadline) -> Source:
        async with self._fetcher.get(url, deadline=deadline) as answer:
            kind, charset = media_type(answer.headers.get("content-type", ""))
            if not 200 <= answer.status < 300:
                raise await _status_error(answer, kind, charset)
            if not may_be_text(kind):
                raise _unsupported(answer, kind, answer.headers.get("content-length", "unknown"))
            body = await answer.read(MOST_BYTES)
            if is_binary(body):
                raise _unsupported(answer, kind or "no type, binary", str(len(body)))
            return Source(answer.url, answer.status, kind, charset, body)

    async def _page(self, source: Source, form: Form, path: str | None) -> Page:
        body, charset = source.body, source.charset
        title, cut = "", False
        if form == "json":
            text = await json_part(body, path, self._process)
        elif form != "raw" and is_html(source.kind, body):
            page = await web_text(body, charset, source.url, self._process, plain=form == "text")
            title, text, cut = page.title, page.text, page.cut
        else:
            text = text_of(body, charset)
        return Page(source.url, source.status, source.kind, title, text, len(body), cut)


async def _status_error(answer: PublicAnswer, kind: str, charset: str) -> ToolError:
    head = await answer.head(4 * _ERROR_HEAD) if may_be_text(kind) else b""
    text = text_of(head, charset)
    if is_html(kind, head):
        page = to_text(head, charset, answer.url, plain=True)
        text = f"{page.title} {page.text}"
    words = " ".join(text.split())[:_ERROR_HEAD]
    said = f"; the page says {words!a}" if words else ""
    return ToolError("http_status", f"{answer.url[:200]} answered {answer.status}{said}", kind="final")


def _unsupported(answer: PublicAnswer, kind: str, size: str) -> ToolError:
    text = f"{answer.url[:200]} is {kind[:80]} of {size[:20]} bytes, not text"
    return ToolError("unsupported_type", text, kind="final")
