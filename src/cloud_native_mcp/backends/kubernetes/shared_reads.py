"""Equal reads at the same time as one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpClient, HttpResponse
    from cloud_native_mcp.contract.service import Cache

SEGMENT: Final = "kubernetes.reads"


class SharedReads:
    """GETs of one client. Nothing is kept: a read that begins after another one has ended asks again."""

    def __init__(self, http: HttpClient, cache: Cache) -> None:
        self._http = http
        self._cache = cache

    async def get(
        self, path: str, *, deadline: Deadline, params: Sequence[tuple[str, str]], accept: str, max_bytes: int
    ) -> HttpResponse:
        """The answer of any status, perhaps of a request that another call began.

        Raises:
            BackendError: as `HttpClient.request`; never for the deadline of another call.
        """
        own = False

        async def load() -> HttpResponse:
            nonlocal own
            own = True
            return await self._http.request(
                "GET", path, deadline=deadline, params=params, headers={"Accept": accept}, max_bytes=max_bytes
            )

        try:
            return await self._cache.fetch(SEGMENT, (id(self), path, tuple(params), accept, max_bytes), load, ttl=0)
        except BackendError as error:
            if own or error.code != "timeout":
                raise
            return await load()  # the call that began it had less time than this one

    def begin_anew(self) -> None:
        """Let no read join one that began before now: what was written must be seen."""
        self._cache.drop(SEGMENT)
