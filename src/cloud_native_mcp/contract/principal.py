"""Who makes a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

AuthMethod = Literal["none", "local", "api_key", "bearer", "jwt", "basic", "proxy"]


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    ``id`` is stable and fit to be logged (a key's visible id, a subject), never a credential. ``local`` is the person
    at the terminal (CLI, stdio), ``none`` a caller of a server that runs without authentication, ``proxy`` one whom a
    trusted proxy has authenticated.

    ``scopes`` narrow what the caller's roles allow, and never widen it: ``read``, ``write``, ``destroy`` or the same of
    one service (``kubernetes:read``). None leaves the roles as they are.
    """

    id: str
    method: AuthMethod
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    claims: Mapping[str, object] = field(default_factory=dict[str, object])


LOCAL = Principal(id="local", method="local")
ANONYMOUS = Principal(id="anonymous", method="none")
