"""The text of one answer, whatever form its server gives it."""

from __future__ import annotations

import http.client
import json
import re
from typing import TYPE_CHECKING, cast

from bench.http_load import LoadError

if TYPE_CHECKING:
    from bench.processes import Server

_CURSOR = re.compile(r"cursor: (\S+)")
_SECONDS = 120


def text_of(server: Server, request: bytes) -> str:
    """Send one prepared request; the text parts of its answer.

    Raises:
        LoadError: the answer is an error: what fails fast must not win.
    """
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_SECONDS)
    try:
        connection.request("POST", first.split()[1], body, headers)
        answer = connection.getresponse().read().decode()
    finally:
        connection.close()
    message = answer.rpartition("data: ")[2] if answer.startswith(("event:", "data:", ":")) else answer
    result = cast("dict[str, object]", json.loads(message)).get("result")
    if not isinstance(result, dict) or cast("dict[str, object]", result).get("isError"):
        raise LoadError(f"{server.name}: {message[:500]}")
    parts = cast("list[dict[str, str]]", result["content"])
    return "\n".join(part.get("text", "") for part in parts)


def cursor_in(text: str) -> str:
    """The cursor an answer of ours ends with, or nothing."""
    found = _CURSOR.search(text.rpartition("\n")[2])
    return found[1] if found else ""
