"""API keys: those of the configuration and those of the key file.

Keys are kept only as keyed hashes. A presented key is hashed once for each state key and found by the beginning of the
hash, the rest is compared in constant time: neither the time of an answer nor the memory of a running server tells
anything of a key, and a lookup costs the same with ten thousand keys as with one, known or not.
"""

from __future__ import annotations

import hmac
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.auth.credentials import InvalidToken
from cloud_native_mcp.auth.key_digest import KeyHash
from cloud_native_mcp.auth.key_file import KeyFile
from cloud_native_mcp.auth.key_format import is_misspelt
from cloud_native_mcp.auth.key_states import facts_of
from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cloud_native_mcp.auth.config import ApiKey, AuthConfig
    from cloud_native_mcp.auth.credentials import Credentials
    from cloud_native_mcp.auth.expiry import ExpiryWatch
    from cloud_native_mcp.auth.key_digest import KeyHasher
    from cloud_native_mcp.auth.key_file import StoredKey
    from cloud_native_mcp.auth.validity import Validity
    from cloud_native_mcp.contract.service import SecretReader

logger = logging.getLogger(__name__)

MIN_KEY: Final = 16
REFRESH_S: Final = 2.0
"""Seconds after which keys are read again, so that what was rotated or revoked is taken up."""

STATES_S: Final = 60.0
"""Seconds after which it is looked at which keys end soon."""

_INDEX_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes
    principal: Principal
    validity: Validity


class ApiKeys:
    """Knows the configured and the stored keys (`auth.credentials.AuthMethod`).

    Args:
        secrets: resolves the references to keys.
        hasher: hashes keys as they are kept.
        clock: monotonic seconds, for reading again.
        wall: the time of day, for what expires.
        expiries: takes the facts of all keys each time they were read.

    Raises:
        ConfigError: a key is missing, too short, or the same as another; the key file cannot be read.
    """

    def __init__(
        self,
        config: AuthConfig,
        secrets: SecretReader,
        hasher: KeyHasher,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        expiries: ExpiryWatch | None = None,
    ) -> None:
        self._config = config
        self._secrets = secrets
        self._hasher = hasher
        self._clock = clock
        self._wall = wall
        self._expiries = expiries
        self._file = KeyFile(config.key_file) if config.key_file is not None else None
        self._configured = self._read_configured()
        self._stored = self._file.read() if self._file is not None else ()
        if self._file is not None and not self._stored:
            logger.warning("%s holds no API key yet: make one with `cloud-native-mcp keys create`", self._file.path)
        self._failing = ""
        self._index = self._indexed()
        self._read_at = clock()
        self._watch_expiry()

    async def find(self, credentials: Credentials) -> Principal | None:
        """Whom a key stands for, or None when it is not known.

        Raises:
            InvalidToken: the key has ended or is not good yet, or it is misspelt.
        """
        token = credentials.token
        if token is None:
            return None
        self._refresh()
        found: _Known | None = None
        for digest in self._hasher.candidates(token):
            known = self._index.get(digest[:_INDEX_BYTES])
            if known is not None and hmac.compare_digest(known.digest, digest):
                found = known
        if found is None:
            if is_misspelt(token):
                raise InvalidToken("the API key is misspelt or cut: its checksum is wrong")
            return None
        refusal = found.validity.refusal(self._wall())
        if refusal:
            raise InvalidToken(refusal)
        return found.principal

    def _refresh(self) -> None:
        if self._clock() - self._read_at < REFRESH_S:
            return
        self._read_at = self._clock()
        before = (self._configured, self._stored)
        failures: list[str] = []
        try:
            self._configured = self._read_configured()
        except ConfigError as error:
            failures.append(str(error))
        try:
            self._stored = self._read_stored()
        except ConfigError as error:
            failures.append(str(error))
        self._tell("; ".join(failures))
        changed = before[0] != self._configured or before[1] is not self._stored
        if changed:
            self._index = self._indexed()
        if changed or self._read_at - self._watched_at >= STATES_S:
            self._watch_expiry()

    def _watch_expiry(self) -> None:
        self._watched_at = self._clock()
        if self._expiries is not None:
            now = self._wall()
            self._expiries.update(facts_of(self._config, self._stored, self._hasher, now=now), now=now)

    def _tell(self, failing: str) -> None:
        """Log a failure to read once, until it changes."""
        if failing and failing != self._failing:
            logger.error("API keys cannot be read again, the ones known stay valid: %s", failing)
        self._failing = failing

    def _read_stored(self) -> tuple[StoredKey, ...]:
        if self._file is None:
            return ()
        stored = self._file.read()
        if self._stored and not stored:
            raise ConfigError([Problem("auth.key_file", f"{self._file.path} is gone, or holds no key any more")])
        return stored

    def _indexed(self) -> dict[bytes, _Known]:
        """Every key by the beginning of its hash; those hashed under a state key that is gone are never found."""
        known = [*self._configured, *self._known_stored()]
        return {one.digest[:_INDEX_BYTES]: one for one in known}

    def _known_stored(self) -> Iterable[_Known]:
        for key in self._stored:
            principal = Principal(id=key.id, method="api_key", groups=key.groups, scopes=key.scopes)
            yield _Known(KeyHash.parse(key.hash).digest, principal, key.validity)

    def _read_configured(self) -> list[_Known]:
        known: list[_Known] = []
        problems: list[Problem] = []
        for name, entry in self._config.api_keys.items():
            path = f"auth.api_keys.{name}.{'key' if entry.key_hash is None else 'key_hash'}"
            try:
                digest = self._digest(entry, path)
            except ConfigError as error:
                problems += error.problems
                continue
            if any(digest == other.digest for other in known):
                problems.append(Problem(path, "is the same key as another one"))
            principal = Principal(id=name, method="api_key", groups=entry.groups, scopes=entry.scopes)
            known.append(_Known(digest, principal, entry.validity))
        if problems:
            raise ConfigError(problems)
        return known

    def _digest(self, entry: ApiKey, path: str) -> bytes:
        if entry.key_hash is not None:
            written = KeyHash.parse(entry.key_hash)
            if not self._hasher.knows(written.made_with):
                raise ConfigError([Problem(path, "was made with another server.state_key; make the hash again")])
            return written.digest
        try:
            key = self._secrets.read(entry.key or "")
        except ConfigError as error:
            raise ConfigError([Problem(path, problem.text) for problem in error.problems]) from None
        if len(key) < MIN_KEY:
            raise ConfigError([Problem(path, f"is shorter than {MIN_KEY} characters")])
        return self._hasher.hash(key.encode()).digest
