"""GET of what repositories and registries hold: guarded, credentials of a repository for its own host only."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.repository import origin
from cloud_native_mcp.upstream.egress import EgressGuard
from cloud_native_mcp.upstream.public_fetch import PublicFetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import TlsOptions
    from cloud_native_mcp.contract.service import SecretReader
    from cloud_native_mcp.services.helm.charts.repository import Repository
    from cloud_native_mcp.upstream.egress import EgressRules

DOWNLOAD_ERRORS: Final = {
    "repo_unreachable": "the repository cannot be read; the others go on",
    "url_denied": "the address, or one it leads to, may not be reached from this server",
}
"""Own errors of every tool that reads charts."""
_DENIED: Final = frozenset({"address_denied", "redirect_denied"})
_MOST_ERROR: Final = 2_000


@dataclass(frozen=True, slots=True)
class Download:
    """An answer of any status; ``url`` is where it came from in the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Downloads:
    """Fetches for all repositories.

    Args:
        rules: for addresses of callers, and for hosts that repositories lead to.
        enabled: whether callers may name addresses, or add repositories.
        tls: for addresses of callers.
        proxy: for addresses of callers.
        occupied: as `EgressGuard` takes it.
    """

    def __init__(
        self,
        rules: EgressRules,
        *,
        enabled: bool,
        tls: TlsOptions,
        proxy: str | None,
        secrets: SecretReader,
        occupied: Callable[[], Sequence[str]],
    ) -> None:
        self._rules = rules
        self._enabled = enabled
        self._tls = tls
        self._proxy = proxy
        self._secrets = secrets
        self._occupied = occupied
        self._fetchers: dict[Repository | None, PublicFetcher] = {}

    async def get(
        self,
        repository: Repository,
        url: str,
        *,
        max_bytes: int,
        deadline: Deadline,
        headers: Mapping[str, str] | None = None,
        field: str = "repo",
    ) -> Download:
        """What is at an address that belongs to a repository; it may take half of the time that is left.

        Args:
            max_bytes: of the decoded body; of an error only its beginning is read.
            headers: besides the credentials; an ``Authorization`` among them replaces those.
            field: the caller's argument that names the repository.

        Raises:
            ToolError: ``url_denied``, ``repo_unreachable``, ``too_large``.
        """
        if not (repository.trusted or self._enabled):
            raise ToolError("url_denied", f"{field}: only the configured repositories may be used here", kind="final")
        sent = {**self._credentials(repository, url), **(headers or {})}
        share = deadline.sooner(deadline.remaining / 2)  # so that what others answered can still be told
        try:
            async with self._fetcher(repository).get(url, deadline=share, field=field, headers=sent) as answer:
                whole = answer.status == 200
                body = await answer.read(max_bytes) if whole else await answer.head(_MOST_ERROR)
                return Download(answer.status, answer.headers, body, answer.url)
        except (BackendError, InvalidArgument) as error:
            raise unreachable(repository, error.text) from error
        except ToolError as error:
            if error.code in _DENIED:
                raise ToolError("url_denied", error.text, kind="final") from error
            if error.code == "too_large":
                raise
            raise unreachable(repository, error.text) from error

    async def close(self) -> None:
        """Close all connections."""
        fetchers, self._fetchers = list(self._fetchers.values()), {}
        for fetcher in fetchers:
            await fetcher.close()

    def _credentials(self, repository: Repository, url: str) -> dict[str, str]:
        if repository.is_registry or origin(url) != origin(repository.url):
            return {}
        header = repository.auth.header(self._secrets)
        return {"Authorization": header} if header else {}

    def _fetcher(self, repository: Repository) -> PublicFetcher:
        """One for each repository that the operator named, and one for all others."""
        key = repository if repository.trusted else None
        found = self._fetchers.get(key)
        if found is None:
            found = self._fetchers[key] = self._new_fetcher(key)
        return found

    def _new_fetcher(self, trusted: Repository | None) -> PublicFetcher:
        if trusted is None:
            guard = EgressGuard(self._rules, occupied=self._occupied)
            return PublicFetcher(guard, tls=self._tls, proxy=self._proxy)
        rules = dataclasses.replace(self._rules, trusted=frozenset({trusted.host}))
        guard = EgressGuard(rules, occupied=self._occupied)
        return PublicFetcher(guard, tls=trusted.tls, proxy=trusted.proxy)


def unreachable(repository: Repository, why: str) -> ToolError:
    """The error of a repository that cannot be read."""
    return ToolError("repo_unreachable", f"{repository.label}: {why}", kind="final")


def status_error(repository: Repository, download: Download) -> ToolError:
    """The error of an answer that is not what was asked for."""
    words = {401: "asks for credentials", 403: "refuses", 404: "has nothing there", 429: "asks to wait"}
    what = words.get(download.status, "failed")
    return unreachable(repository, f"answered {download.status}, it {what} ({download.url[:200]})")
