"""Lets a request in as its principal, or answers 400, 401, 403 (a scope is missing), 429 or 503."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.audit.record import AuditRecord
from cloud_native_mcp.auth.credentials import (
    AuthUnavailable,
    BadCredentials,
    InsufficientScope,
    InvalidToken,
    Unauthenticated,
)
from cloud_native_mcp.limits.middleware import peer_of, refuse_for_now
from cloud_native_mcp.limits.problem import send_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_native_mcp.auth.authenticator import Authenticator
    from cloud_native_mcp.auth.challenge import Challenges
    from cloud_native_mcp.limits.rate import RateLimiter

logger = logging.getLogger(__name__)

RETRY_S: Final = 5
"""Seconds after which a caller whose credential could not be checked may try again."""


class AuthMiddleware:
    """Puts the principal at ``scope["state"]["principal"]``.

    On open paths a request without a valid credential goes on without a principal, so that what is behind can show
    more to those who have one.

    Args:
        challenges: what refused callers are told.
        limiter: counts failures per peer; beyond its limit the answer is 429 and nothing more is recorded or logged.
        record: takes the audit record of each refusal.
        refused: told of each refusal (``auth``), for the metrics.
    """

    __slots__ = ("_app", "_authenticator", "_challenges", "_limiter", "_open_paths", "_record", "_refused")

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator,
        open_paths: Collection[str],
        *,
        challenges: Challenges,
        limiter: RateLimiter | None = None,
        record: Callable[[AuditRecord], None] | None = None,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._challenges = challenges
        self._open_paths = frozenset(open_paths)
        self._limiter = limiter
        self._record = record
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of the ASGI server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            principal = await self._authenticator.authenticate(
                scope["headers"], from_proxy=scope.get("state", {}).get("from_proxy", False)
            )
        except Unauthenticated as error:
            if scope["path"] not in self._open_paths:
                if await self._counted(scope, send, "unauthenticated"):
                    kind = "invalid_token" if isinstance(error, InvalidToken) else ""
                    header = self._challenges.header(scope, error=kind)
                    await send_problem(send, 401, error.text, {"www-authenticate": header})
                return
        except InsufficientScope as error:
            self._noted(scope, "insufficient_scope")
            header = self._challenges.header(scope, error="insufficient_scope", scopes=error.scopes)
            await send_problem(send, 403, str(error), {"www-authenticate": header})
            return
        except AuthUnavailable as error:  # counted as well: nobody is to fill the audit while an issuer is down
            if await self._counted(scope, send, "auth_unavailable"):
                await send_problem(send, 503, f"{error}; try again", {"retry-after": str(RETRY_S)})
            return
        except BadCredentials as error:
            if await self._counted(scope, send, "malformed_credentials"):
                await send_problem(send, 400, str(error), {"connection": "close"})
            return
        else:
            scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)

    async def _counted(self, scope: Scope, send: Send, code: str) -> bool:
        """Count and record a failure; False when the peer has failed too often and was told so."""
        wait = self._limiter.fail(peer_of(scope)) if self._limiter is not None else 0.0
        if wait > 0.0:
            if self._refused is not None:
                self._refused("auth")
            await refuse_for_now(send, wait, "too many failed authentications")
            return False
        self._noted(scope, code)
        return True

    def _noted(self, scope: Scope, code: str) -> None:
        """Record a refusal."""
        peer = peer_of(scope)
        if self._refused is not None:
            self._refused("auth")
        logger.info("refused a request from %s: %s", peer or "an unknown peer", code)
        if self._record is not None:
            self._record(
                AuditRecord(
                    phase="end",
                    door="http",
                    peer=peer,
                    endpoint=scope["path"],
                    outcome="refused",
                    code=code,
                    stage="auth",
                )
            )
