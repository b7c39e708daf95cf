"""Short answers of the transport itself, as ASGI messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Send

Header = tuple[bytes, bytes]
JSON_TYPE = b"application/json"
TEXT_TYPE = b"text/plain; charset=utf-8"


async def reply(
    send: Send, status: int, body: bytes = b"", *, content_type: bytes = JSON_TYPE, headers: Sequence[Header] = ()
) -> None:
    """Send one whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def reply_in_two(send: Send, head: bytes, tail: bytes) -> None:
    """Send one whole JSON answer that is ``head`` and ``tail``: a long tail many requests share is never copied."""
    length = b"%d" % (len(head) + len(tail))
    headers = [(b"content-type", JSON_TYPE), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": head, "more_body": True})
    await send({"type": "http.response.body", "body": tail})


async def reply_text(send: Send, status: int, text: str, *, headers: Sequence[Header] = ()) -> None:
    """Send one line of plain text."""
    await reply(send, status, text.encode() + b"\n", content_type=TEXT_TYPE, headers=headers)
