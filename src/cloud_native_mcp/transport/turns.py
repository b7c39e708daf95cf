"""One request at a time for each id of a session, whose answers the protocol library tells apart by that id."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Hashable

    from starlette.types import Message, Send


class Taken(Exception):
    """A request of that id has not been answered yet."""


class _Turn:
    def __init__(self) -> None:
        self.answered = False
        self.over = asyncio.Event()


class Turns:
    """Hands out turns by key."""

    def __init__(self) -> None:
        self._turns: dict[Hashable, _Turn] = {}

    @asynccontextmanager
    async def take(self, key: Hashable, send: Send) -> AsyncGenerator[Send]:
        """A turn; answer through the given function. Waits for the holder to leave when its answer is out.

        Raises:
            Taken: the holder has not answered.
        """
        while (holder := self._turns.get(key)) is not None:
            if not holder.answered:
                raise Taken
            await holder.over.wait()
        turn = self._turns[key] = _Turn()

        async def watched(message: Message) -> None:
            turn.answered |= message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        try:
            yield watched
        finally:
            del self._turns[key]
            turn.over.set()
