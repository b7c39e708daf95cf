"""A whole server with the utilities service, called through the call chain as every client is."""

from __future__ import annotations

import contextlib
import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_native_mcp.app import App
from cloud_native_mcp.config.sources import load
from cloud_native_mcp.contract.principal import LOCAL, Principal
from cloud_native_mcp.routing.request import AGGREGATE, CallRequest, Client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from cloud_native_mcp.routing.request import CallAnswer

OTHER = Principal(id="somebody-else", method="api_key")


@dataclass
class Server:
    """The server under test.

    Attributes:
        progress: what calls told of their progress: done, total.
    """

    app: App
    progress: list[tuple[float, float | None]] = field(default_factory=list[tuple[float, float | None]])
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def call(self, tool: str, /, *, principal: Principal = LOCAL, **arguments: object) -> CallAnswer:
        """The answer of a tool: of this service, or with the service's prefix of any."""
        request = CallRequest(
            endpoint=AGGREGATE,
            tool=tool if "_" in tool else f"utilities_{tool}",
            arguments=arguments,
            principal=principal,
            client=Client("cli"),
            progress=self._tell,
            request_id=f"r{next(self._numbers)}",
        )
        return await self.app.door.call(request)

    async def text(self, tool: str, /, *, principal: Principal = LOCAL, **arguments: object) -> str:
        """The text of a good answer."""
        answer = await self.call(tool, principal=principal, **arguments)
        assert not answer.is_error, text_of(answer)
        return text_of(answer)

    async def refusal(self, tool: str, /, *, principal: Principal = LOCAL, **arguments: object) -> str:
        """The text of an error."""
        answer = await self.call(tool, principal=principal, **arguments)
        assert answer.is_error, text_of(answer)
        return text_of(answer)

    async def _tell(self, done: float, total: float | None = None, message: str | None = None) -> None:
        assert message
        self.progress.append((done, total))


def text_of(answer: CallAnswer) -> str:
    """The one text block of an answer."""
    assert len(answer.content) == 1
    text = answer.content[0]["text"]
    assert isinstance(text, str)
    return text


@contextlib.asynccontextmanager
async def serving(folder: Path, **sections: Mapping[str, object]) -> AsyncGenerator[Server]:
    """A running server; each keyword is a section of its configuration."""
    file = folder / "config.yaml"
    file.write_text(json.dumps({"audit": {"file": str(folder / "audit.jsonl")}, **sections}), encoding="utf-8")
    app = App(load(file, {}, {}))
    await app.start()
    try:
        yield Server(app)
    finally:
        await app.close()
