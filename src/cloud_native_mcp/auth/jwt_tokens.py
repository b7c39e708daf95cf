"""Tokens of issuers (JWT): signature, issuer, audience and times, then the caller they name.

https://www.rfc-editor.org/rfc/rfc7519, https://www.rfc-editor.org/rfc/rfc8725 (practices), https://www.rfc-editor.org/rfc/rfc9068
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import jwt

from cloud_native_mcp.auth.credentials import MOST_GROUPS, AuthUnavailable, InsufficientScope, InvalidToken
from cloud_native_mcp.auth.remembered import KEPT_S, Remembered
from cloud_native_mcp.contract.json_values import dig
from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cloud_native_mcp.auth.credentials import Credentials
    from cloud_native_mcp.auth.issuer_config import Issuer
    from cloud_native_mcp.auth.issuer_keys import IssuerKeys

KEPT: Final = 4_096
"""Verified tokens that are kept, so that the next call need not verify them again."""

_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_ID: Final = re.compile(r"[^\x00-\x20\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]{0,254}[^\x00-\x20\x7f-\x9f])?")


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer with its keys."""

    name: str
    config: Issuer
    keys: IssuerKeys


@dataclass(frozen=True, slots=True)
class _Kept:
    principal: Principal
    issuer: TrustedIssuer
    version: int
    until: float


class JwtTokens:
    """Knows the callers of the configured issuers (`auth.credentials.AuthMethod`).

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, issuers: Iterable[TrustedIssuer], *, clock: Callable[[], float] = time.time) -> None:
        self._issuers = {one.config.issuer: one for one in issuers}
        self._clock = clock
        self._kept = Remembered[_Kept](KEPT)

    async def find(self, credentials: Credentials) -> Principal | None:
        """Whom a token names; None for what is no token of this form.

        Raises:
            InvalidToken: it is one, and not good.
            InsufficientScope: it is good, and lacks a scope the operator asks for.
            AuthUnavailable: the keys of its issuer cannot be had.
        """
        token = credentials.token
        if token is None or token.count(b".") != 2:
            return None
        kept = self._kept.get(token)
        if kept is not None and kept.version == kept.issuer.keys.version and self._clock() < kept.until:
            return kept.principal
        verified = await self._verified(token.decode("ascii"))
        if verified is None:
            return None
        self._kept.keep(token, verified)
        return verified.principal

    async def _verified(self, token: str) -> _Kept | None:
        header = _header_of(token)
        if header is None:
            return None
        issuer = self._issuer_of(token)
        claims = await _claims(token, header, issuer)
        config = issuer.config
        scopes = _scopes(claims)
        missing = [scope for scope in config.required_scopes if scope not in scopes]
        if missing:
            raise InsufficientScope(config.required_scopes)
        principal = _principal(issuer, claims, scopes)
        until = min(self._clock() + KEPT_S, float(claims["exp"]) + config.leeway_s)
        return _Kept(principal, issuer, issuer.keys.version, until)

    def _issuer_of(self, token: str) -> TrustedIssuer:
        """The issuer a token says it is of; nothing else of it is believed before its signature is checked."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise InvalidToken("the token cannot be read") from None
        issuer = claims.get("iss")
        found = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if found is None:
            raise InvalidToken("the token is of an issuer that is not known here")
        return found


async def _claims(token: str, header: Mapping[str, Any], issuer: TrustedIssuer) -> Mapping[str, Any]:
    """The claims of a token whose signature, times, issuer and audience are right."""
    config = issuer.config
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in config.algorithms:
        raise InvalidToken("the token is not signed in a way that is accepted here")
    if str(header.get("typ", "JWT")).lower() not in _TYPES:
        raise InvalidToken("the token is of a kind that is not accepted here")
    if kid is not None and not isinstance(kid, str):
        raise InvalidToken("the token cannot be read")
    try:
        keys = await issuer.keys.for_token(kid, algorithm)
    except BackendError:
        raise AuthUnavailable(f"the keys of the issuer {issuer.name} cannot be had now") from None
    options = {"require": ["exp", "iss", "aud", config.id_claim], "verify_iat": True}
    for key in keys:
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=list(config.audiences),
                issuer=config.issuer,
                leeway=config.leeway_s,
                options=cast("Any", options),
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise InvalidToken(_why(error, config)) from None
    raise InvalidToken("the token's signature is not that of a known key")


def _why(error: Exception, config: Issuer) -> str:
    clocks = f"or clocks differ by more than {config.leeway_s:g} s"
    match error:
        case jwt.ExpiredSignatureError():
            return f"the token has expired, {clocks}"
        case jwt.ImmatureSignatureError():
            return f"the token is not valid yet, {clocks}"
        case jwt.InvalidAudienceError():
            return "the token is for another audience"
        case jwt.InvalidIssuerError():
            return "the token is of an issuer that is not known here"
        case jwt.MissingRequiredClaimError():
            return f"the token lacks the claim {error.claim}"
        case _:
            return "the token is not good"


def _header_of(token: str) -> Mapping[str, Any] | None:
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None


def _principal(issuer: TrustedIssuer, claims: Mapping[str, Any], scopes: tuple[str, ...]) -> Principal:
    config = issuer.config
    subject = claims.get(config.id_claim)
    if not isinstance(subject, str) or not _ID.fullmatch(subject):
        raise InvalidToken(f"the token's claim {config.id_claim} names nobody")
    prefix = f"{issuer.name}:" if config.id_prefix is None else config.id_prefix
    narrowing = None
    if config.scope_prefix is not None:
        narrowing = tuple(s.removeprefix(config.scope_prefix) for s in scopes if s.startswith(config.scope_prefix))
    return Principal(
        id=f"{prefix}{subject}",
        method="jwt",
        groups=_groups(dig(claims, *config.groups_claim.split("."))),
        scopes=narrowing,
        claims={name: claims[name] for name in config.claims if name in claims},
    )


def _groups(value: object) -> tuple[str, ...]:
    listed = value.split() if isinstance(value, str) else value
    if not isinstance(listed, list):
        return ()
    named = [one for one in cast("list[object]", listed) if isinstance(one, str) and _ID.fullmatch(one)]
    if len(named) > MOST_GROUPS:
        raise InvalidToken(f"the token names more than {MOST_GROUPS} groups")
    return tuple(dict.fromkeys(named))


def _scopes(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes, as RFC 9068 or as some providers write them."""
    given = claims.get("scope", claims.get("scp", ()))
    listed: object = given.split() if isinstance(given, str) else given
    return (
        tuple(one for one in cast("list[object]", listed) if isinstance(one, str)) if isinstance(listed, list) else ()
    )
