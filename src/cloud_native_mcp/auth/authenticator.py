"""Turns the credentials of a request into one principal, by the configured methods in their order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cloud_native_mcp.auth.api_keys import ApiKeys
from cloud_native_mcp.auth.basic import BasicUsers
from cloud_native_mcp.auth.credentials import InvalidToken, Unauthenticated, presented
from cloud_native_mcp.auth.issuer_keys import IssuerKeys
from cloud_native_mcp.auth.jwt_tokens import JwtTokens, TrustedIssuer
from cloud_native_mcp.auth.key_digest import KeyHasher
from cloud_native_mcp.auth.proxy import ProxyHeaders
from cloud_native_mcp.contract.principal import ANONYMOUS, Principal
from cloud_native_mcp.secrets.state_key import StateKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.auth.config import AuthConfig
    from cloud_native_mcp.auth.credentials import AuthMethod
    from cloud_native_mcp.auth.expiry import ExpiryWatch
    from cloud_native_mcp.contract.http import HttpPool
    from cloud_native_mcp.contract.service import SecretReader


class Authenticator:
    """Asks each configured method whom a request's credentials stand for.

    Args:
        secrets: resolves the references to keys and hashes.
        http: fetches the keys of issuers.
        clock: monotonic seconds.
        state_keys: key the hashes of API keys; random ones where hashes need not outlive this process.
        expiries: told of API keys that end soon.

    Raises:
        ConfigError: a credential of the configuration cannot be used.
    """

    def __init__(
        self,
        config: AuthConfig,
        secrets: SecretReader,
        *,
        http: HttpPool,
        clock: Callable[[], float] = time.monotonic,
        state_keys: StateKeys | None = None,
        expiries: ExpiryWatch | None = None,
    ) -> None:
        self._enforced = config.enforced
        self._methods: list[AuthMethod] = []
        if config.accepts("api_key"):
            hasher = KeyHasher(state_keys or StateKeys.random())
            self._methods.append(ApiKeys(config, secrets, hasher, clock=clock, expiries=expiries))
        if config.accepts("jwt"):
            issuers = [
                TrustedIssuer(name, one, IssuerKeys(name, one, http, clock=clock))
                for name, one in config.issuers.items()
            ]
            self._methods.append(JwtTokens(issuers))
        if config.accepts("basic"):
            self._methods.append(BasicUsers(config.users, secrets, clock=clock))
        if config.accepts("proxy"):
            self._methods.append(ProxyHeaders(config.proxy))
        self._known = _kinds(config)
        self._basic = config.accepts("basic")

    async def authenticate(self, headers: Sequence[tuple[bytes, bytes]], *, from_proxy: bool = False) -> Principal:
        """Who sends a request with these headers (names in lower case).

        Args:
            from_proxy: whether the connection is that of a trusted proxy.

        Raises:
            BadCredentials: two of a header, two different keys, a header too long or with odd characters.
            Unauthenticated: no credentials, or none that is known (`InvalidToken`).
            InsufficientScope: a token that lacks a scope.
            AuthUnavailable: it cannot be told now.
        """
        credentials = presented(headers, from_proxy=from_proxy)
        if not self._enforced:
            return ANONYMOUS
        for method in self._methods:
            found = await method.find(credentials)
            if found is not None:
                return found
        if credentials.token is not None:
            raise InvalidToken("the key or token is not known here")
        if credentials.basic is not None and self._basic:
            raise Unauthenticated("the user and password are not known here")
        raise Unauthenticated(f"send {self._known}")


def _kinds(config: AuthConfig) -> str:
    """What a caller may send, in words."""
    kinds = {
        "api_key": "an API key as `Authorization: Bearer …` or `X-API-Key: …`",
        "jwt": "a token as `Authorization: Bearer …`",
        "basic": "a user and password as `Authorization: Basic …`",
        "proxy": "the request through a proxy that authenticates you",
    }
    return ", or ".join(text for mode, text in kinds.items() if config.accepts(mode))  # type: ignore[arg-type]
