"""Sessions of clients up to 2025-11-25, on the protocol library's session manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, AuthorizationContext
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from cloud_native_mcp.transport.caller import principal_of
from cloud_native_mcp.transport.events import SessionEvents

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from mcp.server.streamable_http import StreamableHTTPServerTransport


class SessionManager(StreamableHTTPSessionManager):
    """The library's manager with an event store for each session, and streams that can be ended in order."""

    def _admit_session(self, requestor: AuthorizationContext | None) -> StreamableHTTPServerTransport | None:
        transport = super()._admit_session(requestor)
        if transport is not None:
            transport._event_store = SessionEvents()  # noqa: SLF001 - the library has one store for all sessions
        return transport

    @property
    def session_count(self) -> int:
        """Sessions open now."""
        return len(self._server_instances)

    def close_listening(self) -> None:
        """End the standalone streams of all sessions; their calls go on."""
        for transport in list(self._server_instances.values()):
            transport.close_standalone_sse_stream()


def bind_user(scope: MutableMapping[str, Any]) -> None:
    """Tell the library who calls, so that a session answers only the principal that opened it."""
    principal = principal_of(scope)
    token = AccessToken(token="", client_id=f"{principal.method}:{principal.id}", scopes=[])
    scope["user"] = AuthenticatedUser(token)
