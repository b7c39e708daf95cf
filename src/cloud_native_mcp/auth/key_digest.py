"""Keyed hashes of API keys: what is kept instead of the keys, in memory and at rest.

BLAKE2b-256 under a key derived from ``server.state_key``. The keys this server makes hold 256 random bits, so their
hashes could not be guessed back without that; with it a stolen key file says nothing of weaker keys either, and who can
write the file but does not know the state key cannot add a key.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cloud_native_mcp.secrets.state_key import StateKeys

PURPOSE: Final = "api-keys"
HASH: Final = r"^blake2b:[0-9a-f]{8}:[0-9a-f]{64}$"
"""How a hash is written: the algorithm, which state key made it, and the hash."""

_HASH: Final = re.compile(HASH)


@dataclass(frozen=True, slots=True)
class KeyHash:
    """A written hash: the name of the state key it was made with, and the hash."""

    made_with: str
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> KeyHash:
        """Read `HASH`.

        Raises:
            ValueError: it is not of that form.
        """
        if _HASH.fullmatch(text) is None:
            raise ValueError("not a hash of an API key")
        _, made_with, digest = text.split(":")
        return cls(made_with, bytes.fromhex(digest))

    def __str__(self) -> str:
        return f"blake2b:{self.made_with}:{self.digest.hex()}"


class KeyHasher:
    """Hashes keys under every state key of the ring; the first one makes new hashes."""

    def __init__(self, state_keys: StateKeys) -> None:
        self._ring = [(_name(key), key) for key in state_keys.derive(PURPOSE)]

    def knows(self, made_with: str) -> bool:
        """Whether a state key of that name is in the ring."""
        return any(name == made_with for name, _ in self._ring)

    def hash(self, key: bytes) -> KeyHash:
        """The hash to keep."""
        name, secret = self._ring[0]
        return KeyHash(name, _digest(key, secret))

    def candidates(self, key: bytes) -> list[bytes]:
        """The hashes a presented key may be kept as: one for each state key."""
        return [_digest(key, secret) for _, secret in self._ring]


def _digest(key: bytes, secret: bytes) -> bytes:
    return hashlib.blake2b(key, key=secret, digest_size=32).digest()


def _name(secret: bytes) -> str:
    """Eight hex digits that tell state keys apart and nothing of them."""
    return hashlib.blake2b(PURPOSE.encode(), key=secret, digest_size=4).hexdigest()
