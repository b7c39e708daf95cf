"""Talks to an ASGI app directly: what it answered, and what reached the app behind a middleware."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        found: dict[str, object] = orjson.loads(self.body)
        return found


@dataclass(slots=True)
class Inside:
    """An app that answers 200 and keeps the scopes that reached it."""

    scopes: list[MutableMapping[str, Any]] = field(default_factory=list[Any])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http":
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"inside"})


async def get(
    app: ASGIApp,
    path: str = "/mcp",
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
    peer: str = "192.0.2.1",
    state: dict[str, object] | None = None,
) -> Answer:
    """One request."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "path": path, "headers": list(headers), "client": (peer, 4711)}
    if state is not None:
        scope["state"] = state
    await app(scope, receive, send)
    start, *parts = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(part.get("body", b"") for part in parts))
