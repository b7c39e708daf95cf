"""What a refused caller is told of how to authenticate: ``WWW-Authenticate`` and the metadata it points to.

https://www.rfc-editor.org/rfc/rfc6750#section-3, https://www.rfc-editor.org/rfc/rfc7235#section-4.1,
https://www.rfc-editor.org/rfc/rfc9728
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import orjson

from cloud_native_mcp.limits.problem import send_problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_native_mcp.auth.config import AuthConfig

REALM: Final = "cloud-native-mcp"
WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_NAME: Final = "Cloud Native MCP Server"
_KEPT_S: Final = 300


class Challenges:
    """Says how to authenticate here.

    Args:
        public_url: base address of this server for its clients; empty where it is what they asked.
        paths: of the endpoints: no other path of a caller's is ever repeated.
    """

    def __init__(self, config: AuthConfig, *, public_url: str = "", paths: Collection[str] = ()) -> None:
        self._paths = frozenset(paths)
        self._issuers = tuple(config.issuers.values()) if config.accepts("jwt") else ()
        self._bearer = config.accepts("api_key") or config.accepts("jwt") or not config.accepts("basic")
        self._basic = config.accepts("basic")
        self._public_url = public_url.rstrip("/")

    @property
    def scopes(self) -> tuple[str, ...]:
        """Scopes that tokens need, of whichever issuer."""
        return tuple(dict.fromkeys(scope for one in self._issuers for scope in one.required_scopes))

    @property
    def described(self) -> bool:
        """Whether there are issuers for a client to go to."""
        return bool(self._issuers)

    def describes(self, path: str) -> bool:
        """Whether there is a description of what is at that path; that of the whole server is at the empty one."""
        return not path or path in self._paths

    def header(self, scope: Scope, *, error: str = "", scopes: Collection[str] = ()) -> str:
        """The value of ``WWW-Authenticate`` for a request.

        Args:
            error: of RFC 6750, for a credential that was not good.
            scopes: what the token would need.
        """
        parts = [f'realm="{REALM}"']
        if error:
            parts.append(f'error="{error}"')
        needed = scopes or self.scopes
        if needed:
            parts.append(f'scope="{" ".join(needed)}"')
        if self.described:
            path = scope["path"] if scope["path"] in self._paths else ""
            parts.append(f'resource_metadata="{self._base(scope)}{WELL_KNOWN}{path}"')
        challenges = [f"Bearer {', '.join(parts)}"] if self._bearer else []
        if self._basic:
            challenges.append(f'Basic realm="{REALM}", charset="UTF-8"')
        return ", ".join(challenges)

    def metadata(self, scope: Scope, path: str) -> dict[str, object]:
        """The description of the endpoint at a path as a protected resource."""
        scopes = self.scopes
        return {
            "resource": f"{self._base(scope)}{path}",
            "authorization_servers": [one.issuer for one in self._issuers],
            "bearer_methods_supported": ["header"],
            "resource_name": _NAME,
            **({"scopes_supported": list(scopes)} if scopes else {}),
        }

    def _base(self, scope: Scope) -> str:
        """Where clients reach this server: as configured, or as this one asked, which the guard has let through."""
        if self._public_url:
            return self._public_url
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        parts = urlsplit(f"//{host}")
        return f"{scope.get('scheme', 'http')}://{parts.netloc}"


class ProtectedResource:
    """ASGI: describes the endpoints to clients that do not know yet how to authenticate."""

    __slots__ = ("_app", "_challenges")

    def __init__(self, app: ASGIApp, challenges: Challenges) -> None:
        self._app = app
        self._challenges = challenges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(WELL_KNOWN) or not self._challenges.described:
            return await self._app(scope, receive, send)
        path = scope["path"].removeprefix(WELL_KNOWN).rstrip("/")
        if not self._challenges.describes(path):
            return await send_problem(send, 404, "no endpoint has that path", {})
        if scope["method"] not in {"GET", "HEAD"}:
            return await send_problem(send, 405, "use GET", {"allow": "GET, HEAD"})
        body = orjson.dumps(self._challenges.metadata(scope, path))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode("ascii")),
            (b"cache-control", f"public, max-age={_KEPT_S}".encode("ascii")),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        return None
