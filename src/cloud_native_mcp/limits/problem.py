"""Refusals before a message is read, as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Send


async def send_problem(send: Send, status: int, detail: str, headers: Mapping[str, str]) -> None:
    """Answer with a status and a JSON body that says why.

    Args:
        detail: one line for the caller; names what to do, never a credential.
        headers: further headers of the answer.
    """
    title = HTTPStatus(status).phrase
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    fields = {"content-type": "application/problem+json", "content-length": str(len(body)), **headers}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
