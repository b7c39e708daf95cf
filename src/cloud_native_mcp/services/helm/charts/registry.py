"""Charts in OCI registries: tags, manifests and blobs.

API: https://github.com/opencontainers/distribution-spec/blob/main/spec.md; tokens:
https://distribution.github.io/distribution/spec/auth/token/; media types: https://helm.sh/docs/topics/registries/.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urljoin

import msgspec

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.helm.charts.downloads import status_error, unreachable
from cloud_native_mcp.services.helm.charts.repository import origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import Cache, SecretReader
    from cloud_native_mcp.services.helm.charts.downloads import Download, Downloads
    from cloud_native_mcp.services.helm.charts.repository import Repository

CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_MOST_DOCUMENT: Final = 4_000_000
_MOST_PAGES: Final = 20
_TAGS_SECONDS: Final = 600.0
_TOKEN_SECONDS: Final = 50.0
"""Tokens live for 60 s at least (the token specification)."""
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')
_NEXT: Final = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


class Blob(msgspec.Struct, frozen=True, rename="camel"):
    """Where content is, and what it must be."""

    digest: str
    size: int = 0
    media_type: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """What a tag stands for."""

    config: Blob
    layers: list[Blob] = []


class _Tags(msgspec.Struct):
    tags: list[str] | None = None


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""


@dataclass(frozen=True, slots=True)
class _Grant:
    header: str
    until: float


class Registries:
    """Reads charts from registries, with a token of the registry's own where it asks for one."""

    def __init__(self, downloads: Downloads, cache: Cache, secrets: SecretReader) -> None:
        self._downloads = downloads
        self._cache = cache
        self._secrets = secrets
        self._grants: dict[tuple[Repository, str], _Grant] = {}

    async def versions(self, repository: Repository, chart: str, *, deadline: Deadline) -> list[str]:
        """The versions of a chart, as its tags name them (``_`` stands for ``+``).

        Args:
            chart: the path of the chart below the registry's root.

        Raises:
            ToolError: ``chart_not_found``, ``repo_unreachable``, …
        """
        return await self._cache.fetch(
            "helm.tags", (repository, chart), lambda: self._tags(repository, chart, deadline), ttl=_TAGS_SECONDS
        )

    async def refresh(self, repository: Repository, *, deadline: Deadline) -> None:
        """Forget what is known of a registry's tags, and see that it answers.

        Raises:
            ToolError: ``repo_unreachable``, ``url_denied``, …
        """
        self._cache.drop("helm.tags")
        self._grants = {key: grant for key, grant in self._grants.items() if key[0] != repository}
        url = urljoin(repository.web_url, "/v2/")
        answer = await self._downloads.get(repository, url, max_bytes=_MOST_DOCUMENT, deadline=deadline)
        if answer.status not in {200, 401}:  # 401: it asks for a token, which each chart has its own of
            raise status_error(repository, answer)

    async def manifest(self, repository: Repository, chart: str, reference: str, *, deadline: Deadline) -> Manifest:
        """The manifest of a version's tag, or of a digest.

        Raises:
            ToolError: ``version_not_found``; ``invalid_chart`` when it is no Helm chart; ``repo_unreachable``, …
        """
        path = f"/v2/{quote(chart)}/manifests/{quote(reference, safe=':')}"
        answer = await self._get(repository, chart, path, accept=_MANIFEST, deadline=deadline)
        if answer.status == 404:
            raise ToolError("version_not_found", f"version: {repository.label} has no {reference} of {chart}")
        body = _checked(repository, answer, reference if ":" in reference else "")
        try:
            manifest = msgspec.json.decode(body, type=Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise unreachable(repository, "answered a manifest that cannot be read") from None
        if manifest.config.media_type != CONFIG:
            text = f"{repository.label}: {chart} is {manifest.config.media_type[:80]!a}, no Helm chart"
            raise ToolError("invalid_chart", text, kind="final")
        return manifest

    async def blob(
        self, repository: Repository, chart: str, blob: Blob, *, max_bytes: int, deadline: Deadline
    ) -> bytes:
        """The content of a blob, checked against its digest.

        Raises:
            ToolError: ``repo_unreachable``, also for content of another digest; ``too_large``, …
        """
        path = f"/v2/{quote(chart)}/blobs/{quote(blob.digest, safe=':')}"
        answer = await self._get(repository, chart, path, max_bytes=max_bytes, deadline=deadline)
        return _checked(repository, answer, blob.digest)

    async def _tags(self, repository: Repository, chart: str, deadline: Deadline) -> list[str]:
        found: list[str] = []
        path = f"/v2/{quote(chart)}/tags/list?n=1000"
        for _ in range(_MOST_PAGES):
            answer = await self._get(repository, chart, path, deadline=deadline)
            if answer.status == 404:
                raise ToolError("chart_not_found", f"chart: {repository.label} has no {chart}")
            try:
                found += msgspec.json.decode(_checked(repository, answer, ""), type=_Tags).tags or []
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise unreachable(repository, "answered tags that cannot be read") from None
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                break
            path = urljoin(path, following[1])
        return found

    async def _get(
        self,
        repository: Repository,
        chart: str,
        path: str,
        *,
        deadline: Deadline,
        accept: str = "*/*",
        max_bytes: int = _MOST_DOCUMENT,
    ) -> Download:
        """An answer, after the registry was shown a token when it asks for one."""
        url = urljoin(repository.web_url, path)
        if origin(url) != origin(repository.web_url):
            raise unreachable(repository, "leads to another host for its tags")
        key = (repository, chart)
        grant = self._grants.get(key)
        headers = {"Accept": accept}
        if grant is not None and grant.until > time.monotonic():
            headers["Authorization"] = grant.header
        answer = await self._downloads.get(repository, url, max_bytes=max_bytes, headers=headers, deadline=deadline)
        challenge = answer.headers.get("www-authenticate", "")
        if answer.status != 401 or not challenge:
            return answer
        authorization = await self._authorization(repository, chart, challenge, deadline)
        self._grants[key] = _Grant(authorization, time.monotonic() + _TOKEN_SECONDS)
        headers["Authorization"] = authorization
        return await self._downloads.get(repository, url, max_bytes=max_bytes, headers=headers, deadline=deadline)

    async def _authorization(self, repository: Repository, chart: str, challenge: str, deadline: Deadline) -> str:
        """The header that a registry's challenge asks for.

        Raises:
            ToolError: ``repo_unreachable`` when it cannot be had.
        """
        own = repository.auth.header(self._secrets)
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() != "bearer":
            if own is None:
                raise unreachable(repository, "answered 401, it asks for credentials")
            return own
        if own is not None and own.startswith("Bearer "):
            return own
        asked = dict(_CHALLENGE.findall(rest))
        realm = asked.get("realm", "")
        params = {"service": asked.get("service", ""), "scope": asked.get("scope", f"repository:{chart}:pull")}
        headers: Mapping[str, str] = {}
        if own is not None:
            if not realm.startswith("https://") and origin(realm) != origin(repository.web_url):
                raise unreachable(repository, "asks for credentials at an address without TLS")
            headers = {"Authorization": own}
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(params)}"
        answer = await self._downloads.get(
            repository, url, max_bytes=_MOST_DOCUMENT, headers=headers, deadline=deadline
        )
        try:
            token = msgspec.json.decode(_checked(repository, answer, ""), type=_Token)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise unreachable(repository, "its token service answered no token") from None
        return f"Bearer {token.token or token.access_token}"


def _checked(repository: Repository, answer: Download, digest: str) -> bytes:
    """The body of a good answer, which has that digest where one is given."""
    if answer.status != 200:
        raise status_error(repository, answer)
    if digest and f"sha256:{hashlib.sha256(answer.body).hexdigest()}" != digest:
        raise unreachable(repository, f"answered content that is not {digest[:80]}")
    return answer.body
