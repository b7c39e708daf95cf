"""A message the transport refuses before any tool sees it, as a JSON-RPC error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from cloud_native_mcp.errors import CnmcpError
from cloud_native_mcp.transport.reply import reply

if TYPE_CHECKING:
    from starlette.types import Send

RequestId = int | str


class Refused(CnmcpError):
    """A refused message: HTTP status, JSON-RPC code, text, and the request's id when it could be read."""

    def __init__(
        self, status: int, code: int, message: str, *, request_id: RequestId | None = None, data: object = None
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.data = data
        super().__init__(message)

    @property
    def body(self) -> bytes:
        """The JSON-RPC error; ``id`` is null when the request's could not be read."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return orjson.dumps({"jsonrpc": "2.0", "id": self.request_id, "error": error})

    async def send(self, send: Send) -> None:
        """Answer with it."""
        await reply(send, self.status, self.body)
