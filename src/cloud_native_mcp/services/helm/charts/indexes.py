"""Indexes of the repositories: fetched when needed, kept for ten minutes, then asked for only if they changed."""

from __future__ import annotations

import dataclasses
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.helm.charts.downloads import status_error
from cloud_native_mcp.services.helm.charts.index import MOST_BYTES, Index, read_index
from cloud_native_mcp.upstream.bounded_process import BoundedProcess, Bounds

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import Cache
    from cloud_native_mcp.services.helm.charts.downloads import Downloads
    from cloud_native_mcp.services.helm.charts.repository import Repository

SEGMENT: Final = "helm.indexes"
KEPT_SECONDS: Final = 600.0
_MOST_KNOWN: Final = 32
_INLINE: Final = 30_000
"""Bytes of an index that is read in this process, which takes some 30 ms."""
_READING: Final = Bounds(memory=3_000_000_000, cpu_seconds=120, answer=64_000_000)


@dataclass(frozen=True, slots=True)
class Kept:
    """An index as it was last read.

    ``at`` is the monotonic second it was last known to be current; ``tag`` and ``modified`` are the server's own.
    """

    index: Index
    size: int
    at: float
    tag: str = ""
    modified: str = ""
    unchanged: bool = False


class Indexes:
    """The indexes this server knows.

    ``errors`` has, by name, the code of why a repository could not be read the last time.
    """

    def __init__(self, downloads: Downloads, cache: Cache) -> None:
        self._downloads = downloads
        self._cache = cache
        self._process = BoundedProcess(_READING)
        self._known: OrderedDict[str, Kept] = OrderedDict()
        self.errors: dict[str, str] = {}

    def known(self, repository: Repository) -> Kept | None:
        """The index as last read, whatever its age."""
        return self._known.get(repository.url)

    async def get(self, repository: Repository, *, deadline: Deadline) -> Kept:
        """The index of a repository.

        Raises:
            ToolError: ``repo_unreachable``, ``not_an_index``, ``url_denied``, ``too_large``, ``timeout``.
        """
        return await self._cache.fetch(
            SEGMENT,
            repository,
            lambda: self._load(repository, deadline),
            ttl=KEPT_SECONDS,
            size=lambda kept: kept.size,
        )

    async def refresh(self, repository: Repository, *, deadline: Deadline) -> Kept:
        """The index as it is now; raises as `get`."""
        self._cache.drop(SEGMENT, repository)
        return await self.get(repository, deadline=deadline)

    async def _load(self, repository: Repository, deadline: Deadline) -> Kept:
        try:
            kept = await self._fetch(repository, deadline)
        except ToolError as error:
            if repository.name:
                self.errors[repository.name] = error.code
            raise
        self.errors.pop(repository.name, None)
        self._known[repository.url] = kept
        self._known.move_to_end(repository.url)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return kept

    async def _fetch(self, repository: Repository, deadline: Deadline) -> Kept:
        before = self._known.get(repository.url)
        conditions = {"If-None-Match": before.tag, "If-Modified-Since": before.modified} if before else {}
        answer = await self._downloads.get(
            repository,
            f"{repository.url}/index.yaml",
            max_bytes=MOST_BYTES,
            headers={name: value for name, value in conditions.items() if value},
            deadline=deadline,
        )
        now = time.monotonic()
        if answer.status == 304 and before is not None:
            return dataclasses.replace(before, at=now, unchanged=True)
        if answer.status != 200:
            raise status_error(repository, answer)
        try:
            if len(answer.body) <= _INLINE:
                index = read_index(answer.body)
            else:
                index = await self._process.run(Index, read_index, answer.body)
        except ToolError as error:
            raise ToolError(error.code, f"{repository.label}: {error.text}", kind="final") from error
        tag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
        return Kept(index, len(answer.body), now, tag, modified)
