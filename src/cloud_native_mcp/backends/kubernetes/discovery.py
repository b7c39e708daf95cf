"""Discovery of an API server, kept for ten minutes and asked again by ETag."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from cloud_native_mcp.backends.kubernetes.catalogue import Catalogue
from cloud_native_mcp.backends.kubernetes.discovery_documents import (
    AGGREGATED,
    AggregatedList,
    LegacyGroups,
    LegacyResources,
    read_aggregated,
    read_legacy_groups,
    read_legacy_resources,
)
from cloud_native_mcp.backends.kubernetes.resources import Group, Resource
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError, InvalidArgument
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpResponse, HttpTarget
    from cloud_native_mcp.contract.service import Cache

SEGMENT: Final = "kubernetes.discovery"
TTL_SECONDS: Final = 600.0
_PARALLEL: Final = 8
ShapeT = TypeVar("ShapeT")


class Fetch(Protocol):
    """A GET whose status has been checked; 304 passes when the request was conditional."""

    async def __call__(
        self, path: str, *, deadline: Deadline, accept: str = "application/json", etag: str = ""
    ) -> HttpResponse:
        """The answer of one discovery path."""
        ...


@dataclass(frozen=True, slots=True)
class _Document:
    etag: str
    groups: list[Group]
    resources: list[Resource]


class Discovery:
    """Finds kinds. What is kept depends on the server's identity alone, so it is shared by all callers."""

    def __init__(self, fetch: Fetch, *, cache: Cache, target: HttpTarget) -> None:
        self._fetch = fetch
        self._cache = cache
        self._target = target
        self._key = f"{target.service}/{target.name}"
        self._documents: dict[str, _Document] = {}
        self._built: tuple[tuple[_Document, ...], Catalogue] | None = None
        self._last: Catalogue | None = None

    async def catalogue(self, deadline: Deadline) -> Catalogue:
        """Everything the server offers, at most `TTL_SECONDS` old.

        Raises:
            BackendError: the server cannot be asked.
        """
        self._last = await self._cache.fetch(SEGMENT, self._key, lambda: self._load(deadline), ttl=TTL_SECONDS)
        return self._last

    def forget(self) -> None:
        """Let go of what is kept: the next question goes to the server."""
        self._cache.drop(SEGMENT, self._key)

    async def refreshed(self, deadline: Deadline) -> Catalogue:
        """Everything the server offers now."""
        self.forget()
        return await self.catalogue(deadline)

    async def resolve(self, text: str, *, deadline: Deadline, field: str = "kind") -> Resource:
        """The resource a caller means; see `Catalogue.resolve`. An unknown kind is looked up afresh once.

        Raises:
            InvalidArgument: ``unknown_kind``, ``ambiguous_kind``, or not a name at all; names ``field``.
        """
        where = f"cluster {self._target.name}"
        known = await self.catalogue(deadline)
        try:
            return known.resolve(text, field_name=field, where=where)
        except InvalidArgument as error:
            if error.code != "unknown_kind":
                raise
        return (await self.refreshed(deadline)).resolve(text, field_name=field, where=where)

    async def find(self, group: str, version: str, kind: str, *, deadline: Deadline) -> Resource | None:
        """The resource of an ``apiVersion`` and ``kind`` found in an object, or None when it is not served."""
        return (await self.catalogue(deadline)).find(group, version, kind)

    def is_outside_namespaces(self, group: str, plural: str) -> bool:
        """Whether the resource is outside namespaces, as far as the kinds were asked for already; asks nothing."""
        listed = self._last.resources if self._last is not None else ()
        return any(r.group == group and r.plural == plural and not r.namespaced for r in listed)

    def known(self, api_version: str, kind: str) -> Resource | None:
        """The resource of an object's ``apiVersion`` and ``kind`` among the kinds asked for already; asks nothing."""
        group, _, version = api_version.rpartition("/")
        return self._last.find(group, version, kind) if self._last is not None else None

    async def _load(self, deadline: Deadline) -> Catalogue:
        core, named = await together(self._aggregated("/api", deadline), self._aggregated("/apis", deadline))
        if core is None or named is None:
            return await self._load_legacy(deadline)
        if self._built is not None and self._built[0] == (core, named):
            return self._built[1]
        catalogue = Catalogue(tuple(core.groups + named.groups), tuple(core.resources + named.resources))
        self._built = ((core, named), catalogue)
        return catalogue

    async def _aggregated(self, path: str, deadline: Deadline) -> _Document | None:
        """The aggregated document of a path, or None when the server does not have that form."""
        known = self._documents.get(path)
        response = await self._fetch(path, deadline=deadline, accept=AGGREGATED, etag=known.etag if known else "")
        if response.status == 304 and known is not None:
            return known
        listed = self._decode(response, AggregatedList)
        if listed.kind != "APIGroupDiscoveryList":
            return None
        groups, resources = read_aggregated(listed.items or ())
        document = _Document(response.headers.get("etag", ""), groups, resources)
        self._documents[path] = document
        return document

    async def _load_legacy(self, deadline: Deadline) -> Catalogue:
        core = self._decode(await self._fetch("/api", deadline=deadline), LegacyGroups)
        named = self._decode(await self._fetch("/apis", deadline=deadline), LegacyGroups)
        groups = read_legacy_groups(core, named)
        seats = asyncio.Semaphore(_PARALLEL)

        async def one(group: str, version: str) -> list[Resource] | None:
            async with seats:
                return await self._legacy_group(group, version, deadline)

        pairs = [(group.name, version) for group in groups for version in group.versions]
        found = await together(*(one(group, version) for group, version in pairs))
        failed = {group for (group, _), resources in zip(pairs, found, strict=True) if resources is None}
        return Catalogue(
            tuple(Group(group.name, group.versions, group.name in failed) for group in groups),
            tuple(resource for resources in found for resource in resources or ()),
        )

    async def _legacy_group(self, group: str, version: str, deadline: Deadline) -> list[Resource] | None:
        """Resources of one group and version; None when the server behind it does not answer."""
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            response = await self._fetch(path, deadline=deadline)
            return list(read_legacy_resources(group, version, self._decode(response, LegacyResources)))
        except BackendError as error:
            if error.status is None:
                raise
            return None

    def _decode(self, response: HttpResponse, shape: type[ShapeT]) -> ShapeT:
        return decode_json(response, shape, what="discovery", target=self._target)
