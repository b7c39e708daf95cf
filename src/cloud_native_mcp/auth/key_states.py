"""Every key there is, configured or stored, with its state: for lists, metrics, warnings. Never a key or its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from cloud_native_mcp.auth.key_digest import KeyHash

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_native_mcp.auth.config import AuthConfig
    from cloud_native_mcp.auth.key_digest import KeyHasher
    from cloud_native_mcp.auth.key_file import StoredKey
    from cloud_native_mcp.auth.validity import Validity

KeyState = Literal["active", "expiring", "overlap", "not yet", "expired", "revoked", "unusable"]
"""``overlap``: replaced, and good until it ends; ``unusable``: made with a state key that is no longer configured."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What may be told of a key; ``key_id`` is empty for one of the configuration."""

    id: str
    key_id: str
    state: KeyState
    created: datetime | None
    not_before: datetime | None
    expires: datetime | None
    revoked: datetime | None
    groups: tuple[str, ...]
    scopes: tuple[str, ...] | None
    replaced_by: str = ""


def facts_of(
    config: AuthConfig, stored: Iterable[StoredKey], hasher: KeyHasher, *, now: datetime
) -> tuple[KeyFacts, ...]:
    """All keys, those of the configuration first."""
    soon = timedelta(days=config.expiry_warning_days)
    configured = (
        KeyFacts(
            id=name,
            key_id="",
            state=_state(key.validity, now, soon, usable=_usable(key.key_hash, hasher)),
            created=None,
            not_before=key.not_before,
            expires=key.expires,
            revoked=None,
            groups=key.groups,
            scopes=key.scopes,
        )
        for name, key in config.api_keys.items()
    )
    kept = (
        KeyFacts(
            id=key.id,
            key_id=key.key_id,
            state=_state(key.validity, now, soon, usable=_usable(key.hash, hasher), replaced=bool(key.replaced_by)),
            created=key.created,
            not_before=key.not_before,
            expires=key.expires,
            revoked=key.revoked,
            groups=key.groups,
            scopes=key.scopes,
            replaced_by=key.replaced_by,
        )
        for key in stored
    )
    return (*configured, *kept)


def _usable(written: str | None, hasher: KeyHasher) -> bool:
    return written is None or hasher.knows(KeyHash.parse(written).made_with)


def _state(validity: Validity, now: datetime, soon: timedelta, *, usable: bool, replaced: bool = False) -> KeyState:
    if validity.revoked is not None and now >= validity.revoked:
        return "revoked"
    if validity.expires is not None and now >= validity.expires:
        return "expired"
    if not usable:
        return "unusable"
    if validity.not_before is not None and now < validity.not_before:
        return "not yet"
    if replaced:
        return "overlap"
    return "expiring" if validity.expires is not None and validity.expires - now <= soon else "active"
