"""Sealed text: state that leaves the server and comes back unread and unchanged (cursors, confirmation codes).

A seal is AES-256-GCM over the payload and the time it expires. The *binding* (whose it is, for which call) is
authenticated with it but not in it: text sealed under another binding does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.secrets.state_key import StateKeys

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_MAX_TEXT: Final = 65_536


class SealBroken(Exception):
    """The text was not sealed by this server, or not under this binding."""


class SealExpired(Exception):
    """The text is sound but too old."""


class _Sealed(msgspec.Struct, array_like=True):
    expires: int
    payload: dict[str, object]


class Sealer:
    """Seals and opens texts of one purpose.

    Args:
        keys: the server's ring; what any key of it sealed is opened.
        purpose: texts of another purpose never open.
        clock: seconds since 1970, the same on all nodes.
    """

    def __init__(self, keys: StateKeys, purpose: str, *, clock: Callable[[], float] = time.time) -> None:
        self._ring = [AESGCM(key) for key in keys.derive(purpose)]
        self._clock = clock
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(_Sealed).decode

    def seal(self, payload: Mapping[str, object], *, binding: bytes, ttl: float) -> str:
        """The payload (JSON types) as URL-safe text that opens for ``ttl`` seconds under the same binding."""
        content = self._encode(_Sealed(int(self._clock() + ttl), dict(payload)))
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._ring[0].encrypt(nonce, content, binding)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str, *, binding: bytes) -> dict[str, object]:
        """The payload.

        Raises:
            SealBroken: forged, changed, cut, of another purpose, another binding or another server's key.
            SealExpired: sealed longer ago than its ``ttl``.
        """
        content = self._unlock(_decoded(text), binding)
        try:
            sealed = self._decode(content)
        except msgspec.DecodeError:
            raise SealBroken from None
        if self._clock() >= sealed.expires:
            raise SealExpired
        return sealed.payload

    def _unlock(self, sealed: bytes, binding: bytes) -> bytes:
        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for key in self._ring:
            try:
                return key.decrypt(nonce, content, binding)
            except InvalidTag:
                continue
        raise SealBroken


def _decoded(text: str) -> bytes:
    if len(text) > _MAX_TEXT:
        raise SealBroken
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise SealBroken from None
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        raise SealBroken
    return sealed
