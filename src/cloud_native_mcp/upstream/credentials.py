"""Renewal of a target's credentials after a 401: once for all requests that met it together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.contract.http import Credentials


class Renewal:
    """Hands out headers with the number of the credentials they were made from, and renews these single-flight."""

    __slots__ = ("_asked", "_credentials", "_generation", "_lock")

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._generation: int = 0
        self._asked: int = 0
        self._lock = asyncio.Lock()

    async def headers(self) -> tuple[int, Mapping[str, str]]:
        """The number of the present credentials, and their headers."""
        generation = self._generation
        return generation, await self._credentials.headers()

    async def renew(self, refused: int) -> bool:
        """Get fresh credentials in place of the refused ones; True when a retry makes sense.

        Of many callers refused with the same credentials, one asks and the others wait for it and use what it got.
        """
        asked_before = self._asked
        async with self._lock:
            if self._generation != refused:
                return True
            if self._asked != asked_before:
                return False
            fresh = await self._credentials.refresh()
            self._asked += 1
            if fresh:
                self._generation += 1
            return fresh
