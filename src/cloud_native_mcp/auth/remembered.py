"""Credentials that were found good, so that the next request need not check them again; kept as keyed hashes only."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from typing import Final, Generic, TypeVar

FoundT = TypeVar("FoundT")

KEPT_S: Final = 60.0
"""How long at most a credential counts as good without being checked again; who keeps it sees to that."""


class Remembered(Generic[FoundT]):
    """What was found out about the credentials seen last.

    Args:
        most: credentials that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._salt = secrets.token_bytes(32)
        self._found: OrderedDict[bytes, FoundT] = OrderedDict()

    def get(self, credential: bytes) -> FoundT | None:
        """What was kept of it."""
        digest = self._digest(credential)
        found = self._found.get(digest)
        if found is not None:
            self._found.move_to_end(digest)
        return found

    def keep(self, credential: bytes, found: FoundT) -> None:
        """Keep it, in place of the one not seen for longest."""
        self._found[self._digest(credential)] = found
        if len(self._found) > self._most:
            self._found.popitem(last=False)

    def _digest(self, credential: bytes) -> bytes:
        return hashlib.blake2b(credential, key=self._salt, digest_size=32).digest()
