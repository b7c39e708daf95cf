"""The public keys of an issuer: found by discovery, kept, and asked for again when a token names an unknown one.

https://openid.net/specs/openid-connect-discovery-1_0.html, https://www.rfc-editor.org/rfc/rfc8414 and
https://www.rfc-editor.org/rfc/rfc7517
"""

from __future__ import annotations

import asyncio
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import jwt
import msgspec

from cloud_native_mcp.auth.issuer_config import is_secure
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.http import HttpTarget, TlsOptions
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.auth.issuer_config import Issuer
    from cloud_native_mcp.contract.http import HttpPool

logger = logging.getLogger(__name__)

SERVICE: Final = "auth"
"""Label of the requests in the metrics."""
ASK_AGAIN_S: Final = 60.0
"""At least so many seconds lie between two attempts to fetch keys, whatever tokens name."""
REFRESH_S: Final = 600.0
"""Seconds after which keys are fetched anew while those known go on serving."""
PATIENCE_S: Final = 5.0
MAX_BYTES: Final = 1_000_000
MOST_KEYS: Final = 100
ShapeT = TypeVar("ShapeT")

_OPENID: Final = "/.well-known/openid-configuration"
_OAUTH: Final = "/.well-known/oauth-authorization-server"


class _Description(msgspec.Struct):
    issuer: str = ""
    jwks_uri: str = ""


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]] = []


class IssuerKeys:
    """The keys of one issuer.

    Args:
        name: of the issuer's entry in the configuration.
        clock: monotonic seconds.

    Attributes:
        version: changes whenever other keys were taken up.
    """

    def __init__(
        self, name: str, config: Issuer, http: HttpPool, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.version = 0
        self._config = config
        self._http = http
        self._clock = clock
        self._tls = TlsOptions(ca_file=config.ca_file)
        self._keys: list[dict[str, Any]] = []
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._loading: asyncio.Task[None] | None = None

    async def for_token(self, kid: str | None, algorithm: str) -> Sequence[jwt.PyJWK]:
        """The keys a token with that header may be signed with; none when there is no such key.

        Raises:
            BackendError: the issuer cannot be asked, and no keys of it are known that are young enough.
        """
        found = self._suiting(kid, algorithm) if self._age() <= self._config.max_key_age_s else []
        if found and self._age() > REFRESH_S:
            self._begin()  # in the background: what is known serves until then
        elif not found:
            loading = self._begin()
            if loading is not None:
                await asyncio.shield(loading)
                found = self._suiting(kid, algorithm)
        if self._age() > self._config.max_key_age_s:
            raise BackendError("unreachable", f"no keys of the issuer {self.name} are known")
        return found

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    def _suiting(self, kid: str | None, algorithm: str) -> list[jwt.PyJWK]:
        keys: list[jwt.PyJWK] = []
        for one in self._keys:
            if one.get("kid") != kid and kid is not None:
                continue
            if one.get("alg") not in (None, algorithm):
                continue
            try:
                keys.append(jwt.PyJWK(one, algorithm))
            except (jwt.PyJWTError, ValueError, TypeError, KeyError):
                continue  # a key for another kind of signature, or one that is none
        return keys if kid is not None or len(keys) == 1 else []

    def _begin(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one where it is time for one."""
        if self._loading is not None and not self._loading.done():
            return self._loading
        if self._tried_at is not None and self._clock() - self._tried_at < ASK_AGAIN_S:
            return None
        self._tried_at = self._clock()
        self._loading = asyncio.create_task(self._load(), name=f"keys of issuer {self.name}")
        return self._loading

    async def _load(self) -> None:
        try:
            keys = await self._fetch(Deadline.after(PATIENCE_S))
        except BackendError as error:
            logger.warning("keys of issuer %s cannot be fetched, those known stay in use: %s", self.name, error.text)
            return
        self._fetched_at = self._clock()
        if keys != self._keys:
            self._keys = keys
            self.version += 1
            logger.info("issuer %s has %d keys", self.name, len(keys))

    async def _fetch(self, deadline: Deadline) -> list[dict[str, Any]]:
        url = self._config.jwks_url or await self._discover(deadline)
        found = await self._ask(url, _KeySet, deadline)
        keys = [one for one in found.keys if one.get("kty") in {"RSA", "EC", "OKP"} and one.get("use", "sig") == "sig"]
        if not keys:
            raise BackendError("bad_answer", "no keys to check signatures with")
        return [{name: value for name, value in one.items() if name != "d"} for one in keys[:MOST_KEYS]]

    async def _discover(self, deadline: Deadline) -> str:
        """Where the keys are, as the issuer's own description says."""
        parts = urlsplit(self._config.issuer)
        base, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        try:
            description = await self._ask(f"{base}{path}{_OPENID}", _Description, deadline)
        except BackendError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            description = await self._ask(f"{base}{_OAUTH}{path}", _Description, deadline)
        if description.issuer != self._config.issuer:
            raise BackendError("bad_answer", "its description is of another issuer")
        if not is_secure(description.jwks_uri):
            raise BackendError("bad_answer", "its description names no jwks_uri with https")
        return description.jwks_uri

    async def _ask(self, url: str, shape: type[ShapeT], deadline: Deadline) -> ShapeT:
        parts = urlsplit(url)
        if parts.username is not None or parts.fragment:
            raise BackendError("bad_answer", "it names an address with a user or a fragment")
        target = HttpTarget(SERVICE, parts.netloc, f"{parts.scheme}://{parts.netloc}", tls=self._tls)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        response = await self._http.client(target).request(
            "GET", path, deadline=deadline, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES
        )
        if response.status != HTTPStatus.OK:
            raise BackendError("bad_answer", f"answered {response.status}", status=response.status)
        return decode_json(response, shape, what=path, target=target)
