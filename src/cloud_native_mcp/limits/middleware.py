"""Refuses requests of callers that make too many, before their body is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from cloud_native_mcp.audit.record import AuditRecord
from cloud_native_mcp.limits.problem import send_problem
from cloud_native_mcp.limits.rate import caller_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.limits.rate import RateLimiter


class RateMiddleware:
    """Counts each request under its caller; stands after authentication. Open paths are counted per peer.

    Args:
        record: takes the audit record of a refusal; of one caller's, one a minute.
        refused: told of each refusal (``rate``), for the metrics.
    """

    __slots__ = ("_app", "_limiter", "_record", "_refused")

    def __init__(
        self,
        app: ASGIApp,
        limiter: RateLimiter,
        *,
        record: Callable[[AuditRecord], None] | None = None,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._record = record
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of the ASGI server."""
        if scope["type"] == "http":
            principal = cast("Principal | None", scope.get("state", {}).get("principal"))
            key = caller_key(principal, peer_of(scope))
            wait = self._limiter.take(key)
            if wait > 0.0:
                self._tell(scope, principal, key)
                await refuse_for_now(send, wait, "too many requests")
                return
        await self._app(scope, receive, send)

    def _tell(self, scope: Scope, principal: Principal | None, key: str) -> None:
        if self._refused is not None:
            self._refused("rate")
        if self._record is not None and self._limiter.recorded(key):
            self._record(
                AuditRecord(
                    phase="end",
                    principal=principal.id if principal else "",
                    method=principal.method if principal else "",
                    door="http",
                    peer=peer_of(scope),
                    endpoint=scope["path"],
                    outcome="refused",
                    code="throttled",
                    stage="rate",
                )
            )


def peer_of(scope: Scope) -> str:
    """The peer's address as the guard left it (a trusted proxy's word is already taken into account)."""
    client = cast("Sequence[object] | None", scope.get("client"))
    return str(client[0]) if client else ""


async def refuse_for_now(send: Send, wait: float, what: str) -> None:
    """Answer 429 with the seconds to wait."""
    seconds = str(max(1, math.ceil(wait)))
    await send_problem(send, 429, f"{what}; wait {seconds} s", {"retry-after": seconds})
