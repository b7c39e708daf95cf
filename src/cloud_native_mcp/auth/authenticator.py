"""Turns the credentials of a request into one principal.

Keys are kept only as keyed hashes (BLAKE2b under a key made at start), and every known hash is compared in constant
time, so neither the memory of a running server nor the time of an answer tells a key.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets as randomness
import time
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.principal import ANONYMOUS, Principal
from cloud_native_mcp.errors import CnmcpError, ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.auth.config import AuthConfig
    from cloud_native_mcp.contract.service import SecretReader

logger = logging.getLogger(__name__)

MIN_KEY: Final = 16
MAX_CREDENTIAL: Final = 8_192
REFRESH_S: Final = 5.0
"""Seconds after which references to keys are read again, so that a rotated file is taken up."""
REALM: Final = 'Bearer realm="cloud-native-mcp"'

_VISIBLE: Final = re.compile(rb"[\x20-\x7e]+")


class Unauthenticated(CnmcpError):
    """Nobody known. ``challenge`` is the value of ``WWW-Authenticate``."""

    def __init__(self, text: str, challenge: str = REALM) -> None:
        self.text = text
        self.challenge = challenge
        super().__init__(text)


class BadCredentials(CnmcpError):
    """The request's credentials are ambiguous or malformed; the text names the header and never its value."""


class Authenticator:
    """Knows the configured keys.

    Args:
        secrets: resolves the references to keys.
        clock: monotonic seconds.

    Raises:
        ConfigError: a key is missing, too short, or the same as another.
    """

    def __init__(
        self, config: AuthConfig, secrets: SecretReader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._secrets = secrets
        self._clock = clock
        self._salt = randomness.token_bytes(32)
        self._known = self._read_keys()
        self._read_at = clock()

    def authenticate(self, headers: Sequence[tuple[bytes, bytes]]) -> Principal:
        """Who sends a request with these headers (names in lower case).

        Raises:
            BadCredentials: two of a header, two different keys, a header too long or with odd characters.
            Unauthenticated: no key, or not a known one.
        """
        key = _presented(headers)
        if not self._config.enforced:
            return ANONYMOUS
        if key is None:
            raise Unauthenticated("send an API key as `Authorization: Bearer …` or `X-API-Key: …`")
        found = self._find(key)
        if found is None:
            raise Unauthenticated("the API key is not known here", f'{REALM}, error="invalid_token"')
        return found

    def _find(self, key: bytes) -> Principal | None:
        self._refresh()
        presented = self._hash(key)
        found: Principal | None = None
        for known, principal in self._known:
            if hmac.compare_digest(known, presented):
                found = principal
        return found

    def _hash(self, key: bytes) -> bytes:
        return hashlib.blake2b(key, key=self._salt, digest_size=32).digest()

    def _refresh(self) -> None:
        if self._clock() - self._read_at < REFRESH_S:
            return
        self._read_at = self._clock()
        try:
            self._known = self._read_keys()
        except ConfigError as error:
            logger.error("API keys cannot be read again, the ones known stay valid: %s", error)  # noqa: TRY400

    def _read_keys(self) -> list[tuple[bytes, Principal]]:
        known: list[tuple[bytes, Principal]] = []
        problems: list[Problem] = []
        for name, entry in self._config.api_keys.items():
            path = f"auth.api_keys.{name}.key"
            try:
                key = self._secrets.read(entry.key)
            except ConfigError as error:
                problems.extend(Problem(path, problem.text) for problem in error.problems)
                continue
            hashed = self._hash(key.encode("utf-8"))
            if len(key) < MIN_KEY:
                problems.append(Problem(path, f"is shorter than {MIN_KEY} characters"))
            elif any(hashed == other for other, _ in known):
                problems.append(Problem(path, "is the same key as another one"))
            known.append((hashed, Principal(id=name, method="api_key", groups=entry.groups)))
        if problems:
            raise ConfigError(problems)
        return known


def _presented(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The key a request presents, or None."""
    authorization = _single(headers, b"authorization")
    api_key = _single(headers, b"x-api-key")
    bearer: bytes | None = None
    if authorization is not None:
        scheme, _, value = authorization.partition(b" ")
        if scheme.lower() == b"bearer":
            bearer = value.strip() or None
    if bearer is not None and api_key is not None and not hmac.compare_digest(bearer, api_key):
        raise BadCredentials("Authorization and X-API-Key name different keys; send one of them")
    return api_key if api_key is not None else bearer


def _single(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    values = [value for header, value in headers if header == name]
    if not values:
        return None
    shown = name.decode("ascii")
    if len(values) > 1:
        raise BadCredentials(f"{shown} is given {len(values)} times; send it once")
    value = values[0].strip()
    if len(value) > MAX_CREDENTIAL:
        raise BadCredentials(f"{shown} is longer than {MAX_CREDENTIAL} bytes")
    if value and _VISIBLE.fullmatch(value) is None:
        raise BadCredentials(f"{shown} holds characters other than visible ASCII")
    return value or None
