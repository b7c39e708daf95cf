"""Cursors: encrypted, expiring, bound to caller, tool, targets and arguments; they open on every node."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.secrets.sealing import SealBroken, SealExpired

if TYPE_CHECKING:
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.contract.result import CursorState
    from cloud_native_mcp.routing.binding import Bound
    from cloud_native_mcp.secrets.sealing import Sealer

CURSOR_TTL_S = 3600.0
PURPOSE = "cursor"


class CallCursors:
    """Seals and opens the cursors of one call."""

    __slots__ = ("_binding", "_sealer")

    def __init__(self, sealer: Sealer, *, principal: Principal, tool: str, bound: Bound) -> None:
        self._sealer = sealer
        parts = (principal.method, principal.id, tool, ",".join(bound.targets))
        self._binding = hashlib.sha256("\0".join(parts).encode() + b"\0" + bound.canonical).digest()

    def seal(self, state: CursorState) -> str:
        """The text a caller sends back to continue."""
        return self._sealer.seal(state, binding=self._binding, ttl=CURSOR_TTL_S)

    def open(self, text: str) -> CursorState:
        """The state in a cursor this caller got from this very call.

        Raises:
            ToolError: ``invalid_cursor``, ``expired_cursor``.
        """
        try:
            return self._sealer.open(text, binding=self._binding)
        except SealExpired:
            raise ToolError("expired_cursor", "cursor: is too old; list again without cursor") from None
        except SealBroken:
            raise ToolError(
                "invalid_cursor",
                "cursor: is not one of this call; repeat the arguments it came with, or list again without cursor",
            ) from None
