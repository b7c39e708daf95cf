"""Id tokens of a kubeconfig's ``oidc`` auth provider, refreshed at their issuer before they expire.

Settings: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-kubectl. Nothing is written back
to the kubeconfig: `docs/decisions/0010-id-tokens-stay-in-memory.md`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.backends.kubernetes.oidc_issuer import Issuer, Tokens

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 10.0
EARLY_SECONDS: Final = 30.0
"""A token is renewed this long before it expires, or half way through a short life."""
PAUSE_SECONDS: Final = 10.0
"""After a failure, before the issuer is asked again: it may count refusals, and is no faster for being hammered."""


_REPLACED: Final = (
    "the issuer %s replaces refresh tokens when they are used; they are kept in memory only, so this server needs a "
    "login of its own"
)


class _Claims(msgspec.Struct):
    exp: float = 0.0


class OidcCredentials:
    """The id token as a bearer token.

    Args:
        id_token: the one at hand; may be empty or expired.
        refresh_token: what fresh ones are got with; may be empty.
        clock: seconds of the epoch.
    """

    __slots__ = (
        "_clock",
        "_expires_at",
        "_failure",
        "_issuer",
        "_refresh_token",
        "_renew_at",
        "_renewal",
        "_replaced",
        "_token",
    )

    def __init__(
        self, issuer: Issuer, *, id_token: str, refresh_token: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._issuer = issuer
        self._refresh_token = refresh_token
        self._clock = clock
        self._failure: tuple[float, BackendError] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._replaced = False
        self._take(id_token)

    async def headers(self) -> Mapping[str, str]:
        """The present token; gets another one when it is about to expire. One that is still good outlives a failure.

        Raises:
            BackendError: ``unauthorized`` when there is none to be had; else why the issuer cannot be asked.
        """
        if self._clock() >= self._renew_at:
            error = await self._renewed()
            if error is not None and self._clock() >= self._expires_at:
                raise error
        return {"Authorization": f"Bearer {self._token}"}

    async def refresh(self) -> bool:
        """Get another token for the one refused; whether there is one.

        Raises:
            BackendError: as `headers`.
        """
        if not self._refresh_token:
            return False
        before = self._token
        error = await self._renewed()
        if error is not None:
            raise error
        return self._token != before

    async def _renewed(self) -> BackendError | None:
        """Ask the issuer, once for all who wait; why there is no fresh token, if there is none.

        The question goes on when its callers do not wait for the answer: a used up refresh token would be lost else.
        """
        if not self._refresh_token:
            text = "the id token of the kubeconfig has expired and there is no refresh-token; log in again"
            return BackendError("unauthorized", text)
        if self._failure is not None and self._clock() < self._failure[0]:
            return self._failure[1]
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
        await asyncio.shield(self._renewal)
        return self._failure[1] if self._failure is not None else None

    async def _renew(self) -> None:
        try:
            self._accept(await self._issuer.refresh(self._refresh_token, deadline=Deadline.after(TIMEOUT_SECONDS)))
            self._failure = None
        except BackendError as error:
            told = BackendError(error.code, f"no fresh id token: {error.text}", status=error.status)
            self._failure = (self._clock() + PAUSE_SECONDS, told)
        finally:
            self._renewal = None

    def _accept(self, tokens: Tokens) -> None:
        if not tokens.id_token.isascii() or not tokens.id_token.isprintable():
            raise BackendError("unauthorized", f"the issuer {self._issuer.host} gave no usable id token")
        if tokens.refresh_token and tokens.refresh_token != self._refresh_token:
            self._refresh_token = tokens.refresh_token
            if not self._replaced:
                logger.warning(_REPLACED, self._issuer.host)
            self._replaced = True
        self._take(tokens.id_token)
        if self._clock() >= self._expires_at:
            raise BackendError(
                "unauthorized", f"the issuer {self._issuer.host} gave an id token that has expired or says no time"
            )

    def _take(self, token: str) -> None:
        now = self._clock()
        self._token = token
        self._expires_at = expiry_of(token)
        self._renew_at = max(self._expires_at - EARLY_SECONDS, (now + self._expires_at) / 2)


def expiry_of(token: str) -> float:
    """When an id token expires, in seconds of the epoch; 0 for what does not say it. Checks no signature."""
    parts = token.split(".")
    if len(parts) != 3:
        return 0.0
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(payload, type=_Claims).exp
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return 0.0
