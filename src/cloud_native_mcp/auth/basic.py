"""Users with passwords (HTTP Basic). Passwords are checked against argon2 hashes, away from the event loop.

https://www.rfc-editor.org/rfc/rfc7617
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets as randomness
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError

from cloud_native_mcp.auth.credentials import AuthUnavailable
from cloud_native_mcp.auth.remembered import KEPT_S, Remembered
from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.auth.credentials import Credentials
    from cloud_native_mcp.auth.issuer_config import User
    from cloud_native_mcp.contract.service import SecretReader

AT_ONCE: Final = 2
"""Passwords checked at the same time: each takes tens of megabytes and milliseconds of a processor."""
WAITING: Final = 16
"""Checks that may wait; more are told to come back."""
KEPT: Final = 1_024


@dataclass(frozen=True, slots=True)
class _Kept:
    user: str
    password_hash: str
    until: float


class BasicUsers:
    """Knows the configured users (`auth.credentials.AuthMethod`).

    Args:
        clock: monotonic seconds.

    Raises:
        ConfigError: a hash is missing, or is none.
    """

    def __init__(
        self, users: Mapping[str, User], secrets: SecretReader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._users = users
        self._secrets = secrets
        self._clock = clock
        self._hasher = PasswordHasher()
        self._principals = {
            name: Principal(id=name, method="basic", groups=user.groups) for name, user in users.items()
        }
        self._nobody = self._nobodys_hash()
        self._kept = Remembered[_Kept](KEPT)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._pending = 0

    async def find(self, credentials: Credentials) -> Principal | None:
        """Whom a name and password stand for; None when they do not belong together.

        Raises:
            AuthUnavailable: too many passwords are being checked.
        """
        if credentials.basic is None:
            return None
        kept = self._kept.get(credentials.basic)
        if kept is not None and self._clock() < kept.until and self._hash_of(kept.user) == kept.password_hash:
            return self._principals[kept.user]
        name, password = _pair(credentials.basic)
        known = self._hash_of(name)
        right = await self._check(known or self._nobody, password)
        if not right or known is None:
            return None
        self._kept.keep(credentials.basic, _Kept(name, known, self._clock() + KEPT_S))
        return self._principals[name]

    async def _check(self, password_hash: str, password: str) -> bool:
        if self._pending >= AT_ONCE + WAITING:
            raise AuthUnavailable("too many passwords are being checked")
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._matches, password_hash, password
            )
        finally:
            self._pending -= 1

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False

    def _hash_of(self, name: str) -> str | None:
        user = self._users.get(name)
        if user is None:
            return None
        try:
            return self._secrets.read(user.password_hash)
        except ConfigError:
            return None  # the store has told why; nobody comes in by a password that is not known

    def _nobodys_hash(self) -> str:
        """A hash no password has, as dear to check as those of users: a wrong name takes as long as a wrong one."""
        problems: list[Problem] = []
        dearest = self._hasher
        for name, user in self._users.items():
            path = f"auth.users.{name}.password_hash"
            try:
                parameters = extract_parameters(self._secrets.read(user.password_hash))
            except ConfigError as error:
                problems += [Problem(path, problem.text) for problem in error.problems]
                continue
            except InvalidHashError:
                problems.append(Problem(path, "is no argon2 hash; make one with `cloud-native-mcp auth hash-password`"))
                continue
            if (parameters.memory_cost, parameters.time_cost) > (dearest.memory_cost, dearest.time_cost):
                dearest = PasswordHasher.from_parameters(parameters)
        if problems:
            raise ConfigError(problems)
        return dearest.hash(randomness.token_urlsafe(32))


def _pair(basic: bytes) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(basic, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
