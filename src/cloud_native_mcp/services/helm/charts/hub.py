"""Artifact Hub: charts that anyone published.

API: https://artifacthub.io/docs/api/ (``GET /packages/search``; kind 0 is Helm charts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec

from cloud_native_mcp.services.helm.charts.downloads import status_error, unreachable
from cloud_native_mcp.services.helm.charts.repository import Repository

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.helm.charts.downloads import Downloads

_MOST_BYTES: Final = 2_000_000
MOST_ROWS: Final = 60
"""The API gives no more at once."""


class HubRepository(msgspec.Struct):
    """Where a chart on the hub is kept."""

    name: str = ""
    url: str = ""


class HubChart(msgspec.Struct):
    """A chart on the hub."""

    name: str
    version: str = ""
    app_version: str = ""
    description: str = ""
    deprecated: bool = False
    repository: HubRepository = msgspec.field(default_factory=HubRepository)


class HubPage(msgspec.Struct):
    """A page of what was found; ``total`` is all of it."""

    packages: list[HubChart] | None = None
    total: int = 0


class Hub:
    """Searches Artifact Hub."""

    def __init__(self, downloads: Downloads, url: str) -> None:
        self._downloads = downloads
        self._repository = Repository("Artifact Hub", url, trusted=True)

    async def search(self, query: str, *, limit: int, offset: int, deadline: Deadline) -> HubPage:
        """Charts that match a text, the hub's best first.

        Raises:
            ToolError: ``repo_unreachable``, ``timeout``.
        """
        params = {"kind": 0, "ts_query_web": query, "limit": min(limit, MOST_ROWS), "offset": offset}
        url = f"{self._repository.url}/api/v1/packages/search?{urlencode(params)}"
        answer = await self._downloads.get(self._repository, url, max_bytes=_MOST_BYTES, deadline=deadline)
        if answer.status != 200:
            raise status_error(self._repository, answer)
        try:
            page = msgspec.json.decode(answer.body, type=HubPage, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise unreachable(self._repository, "answered something else than packages") from None
        total = answer.headers.get("pagination-total-count", "")
        page.total = int(total) if total.isdecimal() else offset + len(page.packages or ())
        return page
