"""Bearer tokens of a cluster: fixed ones, and files that are read again when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class StaticToken:
    """A token that never changes."""

    __slots__ = ("_headers",)

    def __init__(self, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}

    async def headers(self) -> Mapping[str, str]:
        """The token as a header."""
        return self._headers

    async def refresh(self) -> bool:
        """There is nothing fresher."""
        return False


class TokenFile:
    """A token in a file that is rotated (a service account's). An empty or missing file keeps the last token."""

    __slots__ = ("_headers", "_path", "_stamp")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._headers: dict[str, str] = {}

    async def headers(self) -> Mapping[str, str]:
        """The present token as a header.

        Raises:
            BackendError: ``unauthorized`` when there never was a token.
        """
        self._read()
        if not self._headers:
            raise BackendError("unauthorized", "the configured token file is missing or empty")
        return self._headers

    async def refresh(self) -> bool:
        """Whether the file holds another token than the one refused."""
        before = self._headers
        self._stamp = None
        self._read()
        return self._headers != before

    def _read(self) -> None:
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == self._stamp:
                return
            token = self._path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return
        if token and token.isascii() and token.isprintable():
            self._stamp = stamp
            self._headers = {"Authorization": f"Bearer {token}"}
