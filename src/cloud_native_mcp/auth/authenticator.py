"""Turns the credentials of a request into one principal, by the configured methods in their order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cloud_native_mcp.auth.api_keys import ApiKeys
from cloud_native_mcp.auth.credentials import REALM, Unauthenticated, presented
from cloud_native_mcp.contract.principal import ANONYMOUS, Principal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.auth.config import AuthConfig
    from cloud_native_mcp.auth.credentials import AuthMethod
    from cloud_native_mcp.contract.service import SecretReader


class Authenticator:
    """Asks each configured method whom a request's credentials stand for.

    Args:
        secrets: resolves the references to keys.
        clock: monotonic seconds.

    Raises:
        ConfigError: a credential of the configuration cannot be used.
    """

    def __init__(
        self, config: AuthConfig, secrets: SecretReader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._enforced = config.enforced
        self._methods = _methods(config, secrets, clock) if config.enforced else []

    async def authenticate(self, headers: Sequence[tuple[bytes, bytes]]) -> Principal:
        """Who sends a request with these headers (names in lower case).

        Raises:
            BadCredentials: two of a header, two different keys, a header too long or with odd characters.
            Unauthenticated: no credentials, or none that is known.
        """
        credentials = presented(headers)
        if not self._enforced:
            return ANONYMOUS
        for method in self._methods:
            found = await method.find(credentials)
            if found is not None:
                return found
        if credentials.token is None:
            raise Unauthenticated("send an API key as `Authorization: Bearer …` or `X-API-Key: …`")
        raise Unauthenticated("the API key is not known here", f'{REALM}, error="invalid_token"')


def _methods(config: AuthConfig, secrets: SecretReader, clock: Callable[[], float]) -> list[AuthMethod]:
    return [ApiKeys(config.api_keys, secrets, clock=clock)]
