"""Making, rotating and revoking stored keys, as changes of the list in a `KeyFile`. A key is told once, when made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.auth.key_file import StoredKey
from cloud_native_mcp.auth.key_format import new_key

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cloud_native_mcp.auth.key_digest import KeyHasher

KEPT_DAYS: Final = 90
"""How long keys that ended stay listed."""


class UnknownKey(LookupError):
    """No key that could be changed; the text says so."""


def create(
    keys: list[StoredKey],
    hasher: KeyHasher,
    visible_id: str,
    *,
    now: datetime,
    not_before: datetime | None = None,
    expires: datetime | None = None,
    groups: tuple[str, ...] = (),
    scopes: tuple[str, ...] | None = None,
) -> tuple[StoredKey, str]:
    """Add a key for a visible id; forgets keys that ended `KEPT_DAYS` ago. Returns it as stored, and the key itself."""
    key_id, key = new_key()
    stored = StoredKey(
        id=visible_id,
        key_id=key_id,
        hash=str(hasher.hash(key.encode())),
        created=now,
        not_before=not_before,
        expires=expires,
        groups=groups,
        scopes=scopes,
    )
    keys[:] = [*(known for known in keys if not _long_gone(known, now)), stored]
    return stored, key


def rotate(
    keys: list[StoredKey],
    hasher: KeyHasher,
    visible_id: str,
    *,
    now: datetime,
    overlap: timedelta,
    expires: datetime | None = None,
) -> tuple[StoredKey, str]:
    """Add a key like the newest one of an id, and let those before it end after the overlap.

    Args:
        expires: of the new key; by default it lives as long as the newest one was made to.

    Raises:
        UnknownKey: the id has no key that is good.
    """
    good = good_keys(keys, visible_id, now)
    if not good:
        raise UnknownKey(f"{visible_id} has no key that is good; make one with `keys create {visible_id}`")
    newest = max(good, key=lambda key: key.created)
    if expires is None and newest.expires is not None:
        expires = now + (newest.expires - newest.created)
    stored, key = create(keys, hasher, visible_id, now=now, expires=expires, groups=newest.groups, scopes=newest.scopes)
    end = now + overlap
    for index, known in enumerate(keys):
        if known in good:
            ends = min(known.expires or end, end)
            keys[index] = msgspec.structs.replace(known, expires=ends, replaced_by=stored.key_id)
    return stored, key


def revoke(keys: list[StoredKey], name: str, *, now: datetime) -> list[StoredKey]:
    """End the key of that key id, or every key of that visible id, now. Returns those that were ended.

    Raises:
        UnknownKey: nothing of that name is good.
    """
    ended: list[StoredKey] = []
    for index, known in enumerate(keys):
        if name in {known.id, known.key_id} and not known.validity.ended(now):
            keys[index] = msgspec.structs.replace(known, revoked=now)
            ended.append(keys[index])
    if not ended:
        raise UnknownKey(f"{name}: no key of that id or key id is good; `keys list` shows those there are")
    return ended


def good_keys(keys: list[StoredKey], visible_id: str, now: datetime) -> list[StoredKey]:
    """The keys of an id that have not ended."""
    return [key for key in keys if key.id == visible_id and not key.validity.ended(now)]


def _long_gone(key: StoredKey, now: datetime) -> bool:
    ends = [moment for moment in (key.expires, key.revoked) if moment is not None]
    return bool(ends) and (now - min(ends)).days >= KEPT_DAYS
