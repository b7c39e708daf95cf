"""The keys that everything this server hands out and takes back is protected with.

One secret, ``server.state_key``, gives a key per purpose (HKDF-SHA256 with the purpose as label), so that a cursor can
never pass for a confirmation code. Nodes with the same state key open what another of them sealed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEY_BYTES: Final = 32
_DIGEST_CHARACTERS: Final = 10


class StateKeys:
    """A ring of secrets: the first one seals, all of them open (so a key can be rotated without an outage).

    Args:
        keys: at least one, of at least 32 bytes each.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) < KEY_BYTES for key in keys):
            raise ValueError(f"state keys: at least one, of at least {KEY_BYTES} bytes each")
        self._keys = tuple(keys)

    @classmethod
    def random(cls) -> StateKeys:
        """A ring good for this process only: what it seals opens nowhere else."""
        return cls([secrets.token_bytes(KEY_BYTES)])

    def derive(self, purpose: str) -> list[bytes]:
        """A 32 byte key for that purpose from each secret of the ring, in its order."""
        label = f"cloud-native-mcp/{purpose}".encode()
        return [HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=label).derive(key) for key in self._keys]

    def digest(self, purpose: str) -> Callable[[bytes], str]:
        """A function to a short keyed digest (10 hex digits): equal values look equal, nothing can be guessed back."""
        key = self.derive(purpose)[0]

        def short_digest(value: bytes) -> str:
            return hmac.new(key, value, hashlib.sha256).hexdigest()[:_DIGEST_CHARACTERS]

        return short_digest
