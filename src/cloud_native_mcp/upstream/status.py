"""The usual reading of HTTP statuses, for backends that do not say more themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.upstream.errors import label_of
from cloud_native_mcp.upstream.retry import retry_after

if TYPE_CHECKING:
    from cloud_native_mcp.contract.http import HttpResponse, HttpTarget

SHOWN_BODY = 500
"""Characters of an error's body that are passed on."""

_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "unsupported",
    409: "conflict",
    410: "not_found",
    412: "precondition_failed",
    413: "rejected",
    415: "unsupported",
    422: "invalid_object",
    429: "throttled",
    501: "unsupported",
    504: "timeout",
}


def raise_for_status(response: HttpResponse, *, what: str, target: HttpTarget) -> None:
    """Raise the error a status outside 200..299 stands for.

    Args:
        what: what was asked for, as the caller knows it (``query up``); part of the error's text.

    Raises:
        BackendError: with the status, the backend's own words (cleaned, masked, at most `SHOWN_BODY` characters), and
            for 429 the seconds to wait.
    """
    status = response.status
    if 200 <= status < 300:
        return
    text = f"{label_of(target)}: {what}: status {status}{_meaning(response)}"
    said = body_head(response)
    if said:
        text = f"{text}: {said}"
    raise BackendError(_code(status), text, status=status, retry_after=retry_after(response.headers))


def body_head(response: HttpResponse) -> str:
    """The beginning of a body as one line fit to be shown; empty for a web page, which says nothing to a caller."""
    if looks_like_page(response):
        return "the body is a web page, not an API's answer (a login page or a proxy in between?)"
    text = response.body[: 8 * SHOWN_BODY].decode("utf-8", errors="replace")
    line = " ".join(scrub(clean(text)).split())
    return line if len(line) <= SHOWN_BODY else f"{line[: SHOWN_BODY - 1]}…"


def looks_like_page(response: HttpResponse) -> bool:
    """Whether the body is HTML."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    start = response.body[:256].lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    return kind in {"text/html", "application/xhtml+xml"} or start.startswith((b"<!doctype html", b"<html"))


def _code(status: int) -> str:
    if status in _CODES:
        return _CODES[status]
    if 300 <= status < 400:
        return "bad_answer"
    return "rejected" if 400 <= status < 500 else "backend_error"


def _meaning(response: HttpResponse) -> str:
    status = response.status
    if 300 <= status < 400:
        return " (a redirect, which is not followed: is the configured address right?)"
    if status == 405:
        return " (the method is not allowed there)"
    if status == 429:
        wait = retry_after(response.headers)
        return " (too many requests)" if wait is None else f" (too many requests; wait {wait:.0f} s)"
    return ""
