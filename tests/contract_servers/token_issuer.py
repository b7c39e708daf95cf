"""An issuer of tokens: its description, its keys, and tokens signed with them. Facts: `docs/testing.md`."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.server import FaultServer
    from tests.fault_server.wire import Request

AUDIENCE = "cloud-native-mcp"
OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"
KEYS = "/keys"
Claims = dict[str, Any]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_RSA = [rsa.generate_private_key(public_exponent=65_537, key_size=2_048) for _ in range(2)]
"""Made once: making one takes a noticeable part of a second."""


@dataclass
class TokenIssuer:
    """What it has and does.

    Attributes:
        keys: private keys by their id; the public halves are what it shows.
        description: in place of its own, by path.
        down: what it does to every request in place of answering.
    """

    server: FaultServer
    keys: dict[str, PrivateKey] = field(default_factory=lambda: {"first": _RSA[0]})
    description: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])
    down: Behaviour | None = None
    extra_keys: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    @property
    def url(self) -> str:
        """What stands in ``iss``."""
        return self.server.url

    @property
    def fetches(self) -> int:
        """How often its keys were asked for."""
        return sum(request.path == KEYS for request in self.server.requests)

    def behave(self, request: Request) -> Behaviour:
        """What becomes of a request."""
        if self.down is not None:
            return self.down
        if request.path == KEYS:
            return answer({"keys": [*(_public(kid, key) for kid, key in self.keys.items()), *self.extra_keys]})
        own = {OPENID: {"issuer": self.url, "jwks_uri": f"{self.url}{KEYS}"}}
        described = (self.description or own).get(request.path)
        return answer(described) if described is not None else answer({}, status=404)

    def claims(self, **changes: object) -> Claims:
        """Claims of a good token; None takes one away."""
        now = int(time.time())
        good: Claims = {"iss": self.url, "sub": "jane", "aud": AUDIENCE, "iat": now, "exp": now + 600}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(
        self, *, kid: str | None = "first", algorithm: str = "RS256", header: Claims | None = None, **changes: object
    ) -> str:
        """A token signed with one of the keys."""
        return self.signed(
            self.claims(**changes), self.keys[kid or "first"], kid=kid, algorithm=algorithm, header=header
        )

    @staticmethod
    def signed(
        claims: Claims, key: Any, *, kid: str | None = "first", algorithm: str = "RS256", header: Claims | None = None
    ) -> str:
        """These claims under whatever key."""
        fields = {"kid": kid} if kid is not None else {}
        return jwt.encode(claims, key, algorithm=algorithm, headers=fields | (header or {}))

    def rotate(self, kid: str) -> None:
        """Another key in place of all there were."""
        self.keys = {kid: _RSA[1]}


def public_pem(key: PrivateKey) -> bytes:
    """The public half as PEM."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public(kid: str, key: PrivateKey) -> dict[str, object]:
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        shown = RSAAlgorithm.to_jwk(public, as_dict=True)
    else:
        shown = ECAlgorithm.to_jwk(public, as_dict=True)
    return {**shown, "kid": kid, "use": "sig"}


@contextlib.asynccontextmanager
async def token_issuer() -> AsyncGenerator[TokenIssuer]:
    """A running issuer on loopback."""
    held: list[TokenIssuer] = []

    def choose(request: Request) -> Behaviour:
        return held[0].behave(request)

    async with fault_server(choose=choose) as server:
        held.append(TokenIssuer(server))
        yield held[0]
