"""Finding the chart that a caller means, and reading it: from an index, a registry, or an address of its own."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.archive import MOST_BYTES, Archive, read_archive
from cloud_native_mcp.services.helm.charts.downloads import status_error, unreachable
from cloud_native_mcp.services.helm.charts.index import Entry
from cloud_native_mcp.services.helm.charts.registry import LAYER
from cloud_native_mcp.services.helm.charts.repository import OCI
from cloud_native_mcp.services.helm.charts.versions import newest_first, parse_range, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import Cache
    from cloud_native_mcp.services.helm.charts.downloads import Downloads
    from cloud_native_mcp.services.helm.charts.indexes import Indexes
    from cloud_native_mcp.services.helm.charts.registry import Registries
    from cloud_native_mcp.services.helm.charts.repositories import Repositories
    from cloud_native_mcp.services.helm.charts.repository import Repository

CHART_ERRORS: Final = {
    "chart_not_found": "no chart of that name there; near names are given",
    "version_not_found": "the chart has no such version; what it has is given",
    "invalid_chart": "what is there is no chart, or larger than 20 MB",
    "not_an_index": "the repository has no index of charts",
}
"""Own errors of every tool that finds a chart."""
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_PATH: Final = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*", re.ASCII)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_ARCHIVE_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A chart as the caller named it.

    Attributes:
        name: in a registry the path below its root; empty for an archive at an address.
        url: of an archive at an address.
        reference: a tag or digest that was part of an oci address.
    """

    repository: Repository
    name: str
    url: str = ""
    reference: str = ""

    @property
    def label(self) -> str:
        """The chart for headers and errors."""
        if self.url:
            return self.url
        place = self.repository.web_url.partition("://")[2] if self.repository.is_registry else ""
        return f"{OCI}{place}/{self.name}" if place else f"{self.repository.label}/{self.name}"


@dataclass(frozen=True, slots=True)
class Found:
    """One version of a chart: where its archive is, or by which reference a registry gives it."""

    wanted: Wanted
    version: str
    entry: Entry
    reference: str = ""


class Catalogue:
    """All charts this server can reach."""

    def __init__(
        self,
        repositories: Repositories,
        *,
        indexes: Indexes,
        registries: Registries,
        downloads: Downloads,
        cache: Cache,
    ) -> None:
        self.repositories = repositories
        self.indexes = indexes
        self.registries = registries
        self._downloads = downloads
        self._cache = cache

    async def close(self) -> None:
        """Close all connections."""
        await self._downloads.close()

    async def wanted(self, chart: str, repo: str | None, *, deadline: Deadline) -> Wanted:
        """What a chart argument means.

        Args:
            chart: ``repo/name``, ``name``, ``oci://…`` or the address of an archive.
            repo: name or address of its repository.

        Raises:
            InvalidArgument: it means nothing, or several charts.
            ToolError: ``chart_not_found``; as `Indexes.get` when all repositories must be asked.
        """
        chart = chart.strip()
        if "://" in chart:
            if repo is not None:
                raise InvalidArgument("repo", "does not go with a chart that is an address")
            return await self._at_address(chart)
        if repo is not None:
            return _in(await self.repositories.find(repo), chart)
        owner, slash, name = chart.partition("/")
        if slash:
            return _in(await self.repositories.named(owner, field="chart"), name)
        return await self._anywhere(chart, deadline)

    async def versions(self, wanted: Wanted, *, deadline: Deadline) -> list[Entry]:
        """Every version of a chart, newest first.

        Raises:
            ToolError: ``chart_not_found`` with near names; as `Indexes.get` and `Registries.versions`.
        """
        if wanted.url or wanted.reference:
            raise InvalidArgument("chart", "names one version; name the chart without it")
        if wanted.repository.is_registry:
            tags = await self.registries.versions(wanted.repository, wanted.name, deadline=deadline)
            versions = [tag.replace("_", "+") for tag in tags]
            known = newest_first(version for version in versions if parse_version(version) is not None)
            return [Entry(name=wanted.name.rpartition("/")[2], version=version) for version in known]
        kept = await self.indexes.get(wanted.repository, deadline=deadline)
        entries = kept.index.charts.get(wanted.name)
        if entries is None:
            near = nearest(wanted.name, kept.index.charts)
            hint = f"; near: {', '.join(near)}" if near else ""
            raise ToolError("chart_not_found", f"chart: {wanted.repository.label} has no {wanted.name}{hint}")
        return entries

    async def find(self, wanted: Wanted, version: str, *, devel: bool = False, deadline: Deadline) -> Found:
        """The version a caller means: the newest stable one, an exact one, or the newest of a range.

        Raises:
            ToolError: ``version_not_found`` with the newest there are; as `versions`.
        """
        if wanted.url or wanted.reference:
            if version:
                raise InvalidArgument("version", "does not go with a chart whose address names one version")
            return Found(wanted, "", Entry(), reference=wanted.reference)
        entries = await self.versions(wanted, deadline=deadline)
        entry = chosen(entries, version, devel=devel)
        if entry is None:
            newest = ", ".join(one.version for one in entries[:5]) or "none"
            text = f"version: no {version or 'stable version'} of {wanted.label}; the newest are {newest}"
            raise ToolError("version_not_found", text)
        return Found(wanted, entry.version, entry, reference=entry.version.replace("+", "_"))

    async def archive(self, found: Found, *, deadline: Deadline) -> Archive:
        """The chart itself, kept for an hour.

        Raises:
            ToolError: ``invalid_chart``, ``repo_unreachable``, ``url_denied``, ``version_not_found``, …
        """
        return await self._cache.fetch(
            "helm.archives",
            (found.wanted, found.version, found.entry.digest),
            lambda: self._load(found, deadline),
            ttl=_ARCHIVE_SECONDS,
            size=lambda archive: archive.size,
        )

    async def _load(self, found: Found, deadline: Deadline) -> Archive:
        try:
            if found.wanted.repository.is_registry:
                packed = await self._from_registry(found, deadline)
            else:
                packed = await self._from_address(found, deadline)
        except ToolError as error:
            if error.code != "too_large":
                raise
            text = f"{found.wanted.label}: the archive is above {MOST_BYTES // 1_000_000} MB"
            raise ToolError("invalid_chart", text, kind="final") from error
        return await asyncio.to_thread(read_archive, packed)

    async def _from_registry(self, found: Found, deadline: Deadline) -> bytes:
        repository, name = found.wanted.repository, found.wanted.name
        manifest = await self.registries.manifest(repository, name, found.reference, deadline=deadline)
        layer = next((one for one in manifest.layers if one.media_type == LAYER), None)
        if layer is None:
            raise ToolError("invalid_chart", f"{found.wanted.label} holds no archive of a chart", kind="final")
        return await self.registries.blob(repository, name, layer, max_bytes=MOST_BYTES, deadline=deadline)

    async def _from_address(self, found: Found, deadline: Deadline) -> bytes:
        repository, url = found.wanted.repository, found.wanted.url
        if not url:
            urls = found.entry.urls or []
            if not urls:
                raise unreachable(repository, f"its index has no address for {found.entry.name}-{found.version}")
            url = urljoin(f"{repository.url}/", urls[0])
        if url.startswith(OCI):
            inner = await self._at_address(url)
            reference = inner.reference or found.version.replace("+", "_")
            return await self._from_registry(Found(inner, found.version, found.entry, reference), deadline)
        field = "chart" if found.wanted.url else "repo"
        answer = await self._downloads.get(repository, url, max_bytes=MOST_BYTES, deadline=deadline, field=field)
        if answer.status != 200:
            raise status_error(repository, answer)
        digest = (found.entry.digest or "").removeprefix("sha256:")
        if digest and hashlib.sha256(answer.body).hexdigest() != digest:
            what = f"{found.entry.name}-{found.version}"
            raise unreachable(repository, f"the archive of {what} is not what its index says")
        return answer.body

    async def _at_address(self, chart: str) -> Wanted:
        """The chart at an address: of a registry, with or without tag or digest, or of an archive."""
        repository = await self.repositories.covering(chart, field="chart")
        if not chart.startswith(OCI):
            return Wanted(repository, "", url=chart)
        path, _, digest = chart.removeprefix(OCI).partition("/")[2].partition("@")
        name, _, tag = path.partition(":")
        reference = digest or tag
        if _PATH.fullmatch(name) is None or (reference and not (_DIGEST if digest else _TAG).fullmatch(reference)):
            text = (
                f"{chart[:120]!a} is no chart of a registry; give oci://host/path/chart, or that with :tag or @digest"
            )
            raise InvalidArgument("chart", text)
        return Wanted(repository, name, reference=reference)

    async def _anywhere(self, name: str, deadline: Deadline) -> Wanted:
        """The one repository with an index that holds a chart of that name."""
        known = [one for one in await self.repositories.all() if not one.is_registry]
        found = await together(*(self._names(one, deadline) for one in known))
        holders = [one for one, names in zip(known, found, strict=True) if name in names]
        if len(holders) == 1:
            return _in(holders[0], name)
        if holders:
            text = f"several repositories have {name}: {', '.join(f'{one.name}/{name}' for one in holders)}"
            raise InvalidArgument("chart", text)
        near = nearest(name, sorted({each for names in found for each in names}))
        hint = f"; near: {', '.join(near)}" if near else "; name its repository with repo, or give an oci:// address"
        raise ToolError("chart_not_found", f"chart: no configured repository has {name[:80]!a}{hint}")

    async def _names(self, repository: Repository, deadline: Deadline) -> Iterable[str]:
        try:
            return (await self.indexes.get(repository, deadline=deadline)).index.charts
        except ToolError:
            return ()


def chosen(entries: Sequence[Entry], version: str, *, devel: bool) -> Entry | None:
    """The first entry (of newest first) that a version or range takes; an exact version wins over a range."""
    for entry in entries:
        if entry.version.removeprefix("v") == version.removeprefix("v"):
            return entry
    wanted = parse_range(version)
    for entry in entries:
        parsed = parse_version(entry.version)
        if parsed is not None and wanted.takes(parsed, devel=devel):
            return entry
    return None


def _in(repository: Repository, name: str) -> Wanted:
    """A chart of a repository by its name.

    Raises:
        InvalidArgument: that is no name of a chart.
    """
    if repository.is_registry:
        path = "/".join(part for part in (repository.path, name) if part)
        if _PATH.fullmatch(path):
            return Wanted(repository, path)
    elif _NAME.fullmatch(name):
        return Wanted(repository, name)
    raise InvalidArgument("chart", f"{name[:80]!a} is no name of a chart")
