"""Reads what the parts of a call share once, page by page.

A list is kept by kind, fields and selector. Secrets are asked for by their metadata, and whole only where the type says
that they hold a certificate: what is not read cannot be told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast

from cloud_native_mcp.backends.kubernetes.lists import PAGE_SIZE, ListQuery, list_pages, metadata_pages
from cloud_native_mcp.backends.kubernetes.meta import PartialObject
from cloud_native_mcp.backends.kubernetes.object_policy import SYSTEM_NAMESPACES
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Sequence
    from datetime import datetime

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.lists import Page
    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.backends.kubernetes.watched import WatchedKinds
    from cloud_native_mcp.contract.deadline import Deadline

MOST_OBJECTS: Final = 20_000
"""Of one kind; more are not looked at, which the answer says."""
PARALLEL: Final = 6
FATAL: Final = frozenset({"unauthorized", "throttled", "unreachable", "timeout", "bad_answer"})
"""Errors that concern the whole cluster: no check can be done."""


class HasMetadata(Protocol):
    """An object with metadata, as every object of the API is."""

    @property
    def metadata(self) -> ObjectMeta:
        """Its metadata."""
        ...


ShapeT = TypeVar("ShapeT", bound=HasMetadata)
ValueT = TypeVar("ValueT")
ShapeT_co = TypeVar("ShapeT_co", bound=HasMetadata, covariant=True)


@dataclass(frozen=True, slots=True)
class Kind(Generic[ShapeT_co]):
    """A kind, the fields read of it, and which of its objects; without a version the preferred one is asked.

    ``most`` lowers how many of its objects are looked at.
    """

    group: str
    kind: str
    shape: type[ShapeT_co]
    field_selector: str = ""
    version: str = ""
    most: int = MOST_OBJECTS


def by_namespace(objects: Iterable[ShapeT]) -> dict[str, list[ShapeT]]:
    """The objects of each namespace."""
    found: dict[str, list[ShapeT]] = {}
    for one in objects:
        found.setdefault(one.metadata.namespace, []).append(one)
    return found


class Reader:
    """The objects of a namespace, or of all (None).

    Args:
        include_system: also objects of the namespaces of Kubernetes itself. One asked for by name is always read.
        now: the moment that ages are told from.
        watched: kinds that need not be asked for.
        most: objects of one kind that are looked at.

    Attributes:
        notes: what was cut.
        gaps: parts of checks that could not be done; each begins with the name of the check.
    """

    def __init__(
        self,
        client: KubernetesClient,
        namespace: str | None,
        *,
        include_system: bool,
        now: datetime,
        deadline: Deadline,
        watched: WatchedKinds | None = None,
        most: int = MOST_OBJECTS,
    ) -> None:
        self.client = client
        self.namespace = namespace
        self.now = now
        self.deadline = deadline
        self.notes: list[str] = []
        self.gaps: list[str] = []
        self._most = most
        self._watched = watched
        self._hidden = frozenset[str]() if include_system or namespace else SYSTEM_NAMESPACES
        self._read: dict[Hashable, object] = {}

    async def objects(self, kind: Kind[ShapeT]) -> Sequence[ShapeT]:
        """All objects of a kind; in all namespaces for a kind that is in none.

        Raises:
            ToolError: ``unsupported`` when the cluster does not serve it, ``forbidden``, …
        """
        return await self.once(kind, lambda: self._objects(kind))

    async def prepare(self, kinds: Iterable[Kind[Any]]) -> None:
        """Read several kinds at the same time; what one of them ends with is told to whoever asks for it.

        Raises:
            ToolError: the cluster as a whole cannot be asked.
        """
        seats = asyncio.Semaphore(PARALLEL)

        async def read(kind: Kind[Any]) -> None:
            async with seats:
                try:
                    await self.objects(kind)
                except ToolError as error:
                    if error.code in FATAL:
                        raise

        await together(*(read(kind) for kind in dict.fromkeys(kinds)))

    async def once(self, key: Hashable, load: Callable[[], Awaitable[ValueT]]) -> ValueT:
        """What ``load`` gives, or the error it ended with: the same for all checks of the call.

        Raises:
            ToolError: as ``load`` did.
        """
        if key not in self._read:
            try:
                self._read[key] = await load()
            except ToolError as error:
                self._read[key] = error
        found = self._read[key]
        if isinstance(found, ToolError):
            raise found
        return cast("ValueT", found)

    async def serves(self, group: str, kind: str, version: str = "") -> bool:
        """Whether the cluster has the kind."""
        key = (group, version, kind)
        found = await self.once(key, lambda: self.client.discovery.find(*key, deadline=self.deadline))
        return found is not None

    async def optional(self, kind: Kind[ShapeT], check: str) -> Sequence[ShapeT]:
        """The objects, or none: the check then goes on without, and that is told. Nothing is told of a missing API."""
        try:
            return await self.objects(kind)
        except ToolError as error:
            if error.code in FATAL:
                raise
            if error.code != "unsupported":
                self.gap(check, error)
            return ()

    async def any_of(self, kinds: Sequence[Kind[ShapeT]], check: str) -> list[tuple[str, Sequence[ShapeT]]]:
        """The names of kinds with their objects; those that cannot be read are told.

        Raises:
            ToolError: none of them can be read.
        """
        found: list[tuple[str, Sequence[ShapeT]]] = []
        errors: list[ToolError] = []
        for kind in kinds:
            try:
                found.append((kind.kind, await self.objects(kind)))
            except ToolError as error:
                errors.append(error)
        if errors and (not found or any(error.code in FATAL for error in errors)):
            raise errors[0]
        for error in errors:
            self.gap(check, error)
        return found

    async def either(self, kind: Kind[ShapeT], check: str) -> Sequence[ShapeT] | None:
        """The objects, or None where they cannot be had: then nothing may be concluded from them."""
        found = await self.optional(kind, check)
        return None if isinstance(self._read[kind], ToolError) else found

    def gap(self, check: str, error: ToolError) -> None:
        """Tell that a part of a check could not be done."""
        line = f"{check}: in part: {error.code}: {error.text}"
        if line not in self.gaps:
            self.gaps.append(line)

    def shown(self, namespace: str) -> bool:
        """Whether objects of the namespace are looked at."""
        if namespace and self.namespace is not None:
            return namespace == self.namespace
        return namespace not in self._hidden

    async def _objects(self, kind: Kind[ShapeT]) -> list[ShapeT]:
        resource = await self.client.discovery.find(kind.group, kind.version, kind.kind, deadline=self.deadline)
        if resource is None:
            where = f".{kind.group}" if kind.group else ""
            raise ToolError("unsupported", f"cluster {self.client.name} serves no {kind.kind}{where}")
        most = min(kind.most, self._most)
        namespace = self.namespace if resource.namespaced else None
        if self._watched is not None:
            kept = await self._watched.objects(
                self.client,
                resource,
                kind.shape,
                namespace=namespace,
                field_selector=kind.field_selector,
                deadline=self.deadline,
            )
            if kept is not None:
                return self._within(kept, resource, most)
        query = ListQuery(
            namespace,
            field_selector=kind.field_selector,
            limit=min(PAGE_SIZE, most),
        )
        found: list[ShapeT] = []
        seen = 0
        async for page in self._pages(kind, resource, query):
            found += [item for item in page.items if self.shown(item.metadata.namespace)]
            seen += len(page.items)
            if page.cursor and seen >= most:
                self.notes.append(f"{resource.display}: only the first {seen:,} were looked at")
                break
            await asyncio.sleep(0)
        return found

    def _within(self, kept: Sequence[ShapeT], resource: Resource, most: int) -> list[ShapeT]:
        """Those that are looked at."""
        if len(kept) > most:
            self.notes.append(f"{resource.display}: only the first {most:,} were looked at")
        return [item for item in kept[:most] if self.shown(item.metadata.namespace)]

    def _pages(self, kind: Kind[ShapeT], resource: Resource, query: ListQuery) -> AsyncIterator[Page[ShapeT]]:
        if cast("object", kind.shape) is PartialObject:
            pages = metadata_pages(self.client, resource, query, deadline=self.deadline)
            return cast("AsyncIterator[Page[ShapeT]]", pages)
        return list_pages(self.client, resource, query, item=kind.shape, deadline=self.deadline)
