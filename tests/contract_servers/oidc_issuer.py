"""An OpenID Connect issuer as far as clients with a refresh token see it. Facts: `docs/testing.md`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.fault_server.tls import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Connection, Request

CLIENT = "kubernetes"
REALM = "/realms/ops"
TOKEN_PATH = f"{REALM}/protocol/token"


def jwt(expires_at: float, subject: str = "jane") -> str:
    """An id token as an issuer makes it, its signature apart."""
    parts = ({"alg": "RS256", "typ": "JWT"}, {"sub": subject, "exp": int(expires_at)})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2lnbmF0dXJl"))


@dataclass
class OidcIssuer:
    """What it knows and did.

    Attributes:
        issue: makes the next id token.
        refresh_token: the one that is good now. secret: of the client; empty for a public one.
        rotates: whether a refresh token is good for one use.
        methods: ``token_endpoint_auth_methods_supported``; None leaves that out.
        extra: of the answer, in place of what it would hold.
        refusal: answered to every refresh in place of tokens.
        hold: answers wait until it is set.
        asked: forms of the refreshes so far.
    """

    issue: Callable[[], str]
    refresh_token: str = "rt-1-6d0f3c9ab1e2"
    secret: str = ""
    rotates: bool = False
    methods: list[str] | None = None
    extra: dict[str, object] = field(default_factory=dict[str, object])
    refusal: Behaviour | None = None
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    url: str = ""
    ca: bytes = b""
    requests: int = 0

    def choose(self, request: Request) -> Behaviour:
        """The answer to a request."""
        self.requests += 1
        if request.path == f"{REALM}/.well-known/openid-configuration":
            described: dict[str, object] = {"issuer": self.url, "token_endpoint": self._endpoint}
            if self.methods is not None:
                described["token_endpoint_auth_methods_supported"] = self.methods
            return answer(described)
        if request.path == TOKEN_PATH and request.method == "POST":
            return self._held(self._refresh(request))
        return answer("not found", status=404, kind="text/plain")

    @property
    def _endpoint(self) -> str:
        return self.url.removesuffix(REALM) + TOKEN_PATH

    def _refresh(self, request: Request) -> Behaviour:
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        self.asked.append(form)
        if not self._authenticates(request, form):
            return answer({"error": "invalid_client"}, status=401)
        if self.refusal is not None:
            return self.refusal
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self.refresh_token:
            words = f"Token {form.get('refresh_token')} is not active"
            return answer({"error": "invalid_grant", "error_description": words}, status=400)
        tokens: dict[str, object] = {"access_token": "at", "token_type": "Bearer", "id_token": self.issue()}
        if self.rotates:
            self.refresh_token = f"rt-{len(self.asked) + 1}-6d0f3c9ab1e2"
            tokens["refresh_token"] = self.refresh_token
        return answer(tokens | self.extra)

    def _authenticates(self, request: Request, form: dict[str, str]) -> bool:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = base64.b64decode(value).decode().partition(":")
            allowed = self.methods is None or "client_secret_basic" in self.methods
            return allowed and (unquote(name), unquote(secret)) == (CLIENT, self.secret)
        return (form.get("client_id"), form.get("client_secret", "")) == (CLIENT, self.secret)

    def _held(self, behaviour: Behaviour) -> Behaviour:
        async def later(connection: Connection, request: Request) -> None:
            await self.hold.wait()
            await behaviour(connection, request)

        return later


@contextlib.asynccontextmanager
async def oidc_issuer(issue: Callable[[], str], **settings: object) -> AsyncGenerator[OidcIssuer]:
    """A running issuer with a certificate of its own authority."""
    authority = Authority()
    issuer = OidcIssuer(issue, **settings)  # type: ignore[arg-type]
    issuer.hold.set()
    async with fault_server(choose=issuer.choose, tls=authority.server()) as server:
        issuer.url, issuer.ca = f"{server.url}{REALM}", authority.pem
        yield issuer
