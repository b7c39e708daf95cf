"""What a request presents to say who sends it, and the ways a refusal is told."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from cloud_native_mcp.errors import CnmcpError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.principal import Principal

MAX_CREDENTIAL: Final = 8_192
MOST_GROUPS: Final = 256
"""Groups that one caller may bring."""
_VISIBLE: Final = re.compile(rb"[\x20-\x7e]+")


class Unauthenticated(CnmcpError):
    """Nobody known: no credential, or none that is good."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


class InvalidToken(Unauthenticated):
    """A credential of a known kind that is not good; the text says in plain words what is wrong with it."""


class InsufficientScope(CnmcpError):
    """A good credential that lacks a scope; ``scopes`` are those that are needed."""

    def __init__(self, scopes: Sequence[str]) -> None:
        self.scopes = tuple(scopes)
        super().__init__(f"the token needs the scopes: {' '.join(scopes)}")


class AuthUnavailable(CnmcpError):
    """Nobody can tell now whether the credential is good."""


class BadCredentials(CnmcpError):
    """The request's credentials are ambiguous or malformed; the text names the header and never its value."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of one request: at most one of each kind, of visible ASCII.

    ``token`` is what came as ``X-API-Key`` or as a Bearer, ``basic`` the encoded part of Basic, ``vouched`` the header
    fields of a trusted proxy, whose word about the caller may be taken; empty for everybody else.
    """

    token: bytes | None = field(default=None, repr=False)
    basic: bytes | None = field(default=None, repr=False)
    vouched: Sequence[tuple[bytes, bytes]] = field(default=(), repr=False)


class AuthMethod(Protocol):
    """One way to authenticate."""

    async def find(self, credentials: Credentials) -> Principal | None:
        """Whom these credentials stand for, or None when this method does not know them.

        Raises:
            Unauthenticated: they are meant for this method, and no other one needs to be asked.
            InsufficientScope: they are good and do not reach far enough.
            AuthUnavailable: it cannot be told now.
        """
        ...


def presented(headers: Sequence[tuple[bytes, bytes]], *, from_proxy: bool = False) -> Credentials:
    """The credentials in a request's headers (names in lower case).

    Args:
        from_proxy: whether a trusted proxy sent them.

    Raises:
        BadCredentials: two of a header, two different keys, a header too long or with odd characters.
    """
    authorization = _single(headers, b"authorization")
    api_key = _single(headers, b"x-api-key")
    bearer: bytes | None = None
    basic: bytes | None = None
    if authorization is not None:
        scheme, _, value = authorization.partition(b" ")
        match scheme.lower().decode("ascii"):
            case "bearer":
                bearer = value.strip() or None
            case "basic":
                basic = value.strip() or None
            case _:
                pass
    if bearer is not None and api_key is not None and not hmac.compare_digest(bearer, api_key):
        raise BadCredentials("Authorization and X-API-Key name different keys; send one of them")
    token = api_key if api_key is not None else bearer
    return Credentials(token=token, basic=basic, vouched=headers if from_proxy else ())


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
