"""API keys.

Keys are kept only as keyed hashes (BLAKE2b under a key made at start), and every known hash is compared in constant
time, so neither the memory of a running server nor the time of an answer tells a key.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets as randomness
import time
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.auth.config import ApiKey
    from cloud_native_mcp.auth.credentials import Credentials
    from cloud_native_mcp.contract.service import SecretReader

logger = logging.getLogger(__name__)

MIN_KEY: Final = 16
REFRESH_S: Final = 5.0
"""Seconds after which references to keys are read again, so that a rotated file is taken up."""


class ApiKeys:
    """Knows the configured keys (`auth.credentials.AuthMethod`).

    Args:
        secrets: resolves the references to keys.
        clock: monotonic seconds.

    Raises:
        ConfigError: a key is missing, too short, or the same as another.
    """

    def __init__(
        self, entries: Mapping[str, ApiKey], secrets: SecretReader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._entries = entries
        self._secrets = secrets
        self._clock = clock
        self._salt = randomness.token_bytes(32)
        self._known = self._read_keys()
        self._read_at = clock()

    async def find(self, credentials: Credentials) -> Principal | None:
        """Whom a key stands for, or None."""
        if credentials.token is None:
            return None
        self._refresh()
        presented = self._hash(credentials.token)
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
        for name, entry in self._entries.items():
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
