"""Reading releases from the Secrets or ConfigMaps that hold them.

Metadata first: labels tell name, revision and status. Bodies are read only for what is shown, and what is decoded of
one is kept, since a body never changes without its resourceVersion.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import msgspec

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page, metadata_pages
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.helm.releases.record import Brief, body_of, brief_of, record_of, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import Cache
    from cloud_native_mcp.services.helm.releases.record import Body, Record

Driver = Literal["secret", "configmap"]
KEPT_SECONDS: Final = 3_600.0
AT_ONCE: Final = 8
GROUPED_FROM: Final = 4
"""So many bodies of one revision number are read by one list rather than one by one."""
GROUP: Final = 40
_KINDS: Final[Mapping[Driver, str]] = {"secret": "Secret", "configmap": "ConfigMap"}
_OWNER: Final = "owner=helm"
ValueT = TypeVar("ValueT")


class _Stored(msgspec.Struct):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    data: dict[str, str] = {}


class Storage:
    """The releases of any cluster.

    Args:
        driver: the kind of object that holds them.
    """

    def __init__(self, driver: Driver, cache: Cache) -> None:
        self.driver: Driver = driver
        self._cache = cache

    async def records(
        self, client: KubernetesClient, namespace: str | None, *, deadline: Deadline, selector: str = ""
    ) -> list[Record]:
        """All revisions of all releases, or of those that a label selector takes.

        Raises:
            BackendError: ``forbidden``, saying which right is needed.
        """
        resource = await self._resource(client, deadline)
        query = ListQuery(namespace, label_selector=f"{_OWNER},{selector}" if selector else _OWNER)
        found: list[Record] = []
        try:
            async for page in metadata_pages(client, resource, query, deadline=deadline):
                found += [record for item in page.items if (record := record_of(item.metadata))]
        except BackendError as error:
            raise self._explained(error, namespace, client.actor) from error
        return found

    async def history(self, client: KubernetesClient, namespace: str, name: str, *, deadline: Deadline) -> list[Record]:
        """The held revisions of a release, oldest first; empty when there is none."""
        found = await self.records(client, namespace, selector=f"name={name}", deadline=deadline)
        return sorted(found, key=lambda record: record.revision)

    async def briefs(
        self, client: KubernetesClient, records: Sequence[Record], *, deadline: Deadline
    ) -> dict[tuple[str, str], Brief | ToolError]:
        """What lists show of each revision, by `Record.identity`; an error in place of what does not decode."""
        segment = "helm.briefs"
        missing = [record for record in records if not self._cache.holds(segment, (client.view, *record.identity))]
        loaded = await self._loaded(client, missing, deadline)
        turns = asyncio.Semaphore(AT_ONCE)

        async def brief(record: Record) -> Brief | ToolError:
            async def load() -> Brief:
                stored = loaded.get(record.identity)
                if stored is None:
                    async with turns:
                        stored = await self._stored(client, record, deadline)
                return await _off_the_loop(lambda: brief_of(unpacked(stored)), stored)

            try:
                return await self._cache.fetch(
                    segment, (client.view, *record.identity), load, ttl=KEPT_SECONDS, size=_size_of_brief
                )
            except BackendError as error:
                if error.code != "not_found":
                    raise
                return error  # it went between the two requests
            except ToolError as error:
                return error

        found = dict(zip((one.identity for one in missing), await together(*map(brief, missing)), strict=True))
        for record in records:  # what is kept needs no task of its own
            if record.identity not in found:
                found[record.identity] = await brief(record)
        return found

    async def body(self, client: KubernetesClient, record: Record, *, deadline: Deadline) -> Body:
        """The whole body of a revision; raises as `plain`."""
        plain = await self.plain(client, record, deadline=deadline)
        return await _off_the_loop(lambda: body_of(plain), plain)

    async def plain(self, client: KubernetesClient, record: Record, *, deadline: Deadline) -> bytes:
        """The JSON of the body of a revision.

        Raises:
            ToolError: ``decode_failed``; ``not_found`` when it went meanwhile.
        """

        async def load() -> bytes:
            stored = await self._stored(client, record, deadline)
            return await _off_the_loop(lambda: unpacked(stored), stored)

        key = (client.view, *record.identity)
        return await self._cache.fetch("helm.bodies", key, load, ttl=KEPT_SECONDS, size=len)

    async def _loaded(
        self, client: KubernetesClient, records: Sequence[Record], deadline: Deadline
    ) -> dict[tuple[str, str], str]:
        """The stored texts of those revisions that are worth a list: many of one number."""
        by_number: dict[tuple[str, int], list[Record]] = {}
        namespaces = {record.namespace for record in records}
        for record in records:
            where = record.namespace if len(namespaces) == 1 else ""
            by_number.setdefault((where, record.revision), []).append(record)
        groups = [
            (where, number, names)
            for (where, number), group in by_number.items()
            if len(group) >= GROUPED_FROM
            for names in _parts(sorted({record.name for record in group}), GROUP)
        ]
        turns = asyncio.Semaphore(AT_ONCE)
        resource = await self._resource(client, deadline)

        async def load(where: str, number: int, names: Iterable[str]) -> list[_Stored]:
            selector = f"{_OWNER},version={number},name in ({','.join(names)})"
            found: list[_Stored] = []
            query = ListQuery(where or None, label_selector=selector, limit=GROUP)
            async with turns:
                while True:
                    page = await list_page(client, resource, query, item=_Stored, deadline=deadline)
                    found += page.items
                    if not page.cursor:
                        return found
                    query = query.after(page.cursor)

        answers = await together(*(load(*group) for group in groups))
        return {
            (one.metadata.uid, one.metadata.resource_version): self._text(one) for found in answers for one in found
        }

    async def _stored(self, client: KubernetesClient, record: Record, deadline: Deadline) -> str:
        resource = await self._resource(client, deadline)
        stored = await client.get(
            resource, record.object_name, namespace=record.namespace, shape=_Stored, deadline=deadline
        )
        return self._text(stored)

    def _text(self, stored: _Stored) -> str:
        """What Helm wrote; the API wraps the data of a Secret in base64 once more."""
        text = stored.data.get("release", "")
        if self.driver == "configmap":
            return text
        try:
            return base64.b64decode(text).decode("ascii", "replace")
        except binascii.Error:
            return ""

    async def _resource(self, client: KubernetesClient, deadline: Deadline) -> Resource:
        kind = _KINDS[self.driver]
        resource = await client.discovery.find("", "v1", kind, deadline=deadline)
        if resource is None:
            raise BackendError("unsupported", f"cluster {client.name} serves no {kind}s")
        return resource

    def _explained(self, error: BackendError, namespace: str | None, actor: str) -> BackendError:
        if error.code not in {"forbidden", DENIED}:
            return error
        where = f"in namespace {namespace}" if namespace else "in all namespaces; name a namespace you may read"
        kind = _KINDS[self.driver].lower()
        text = f"Helm keeps releases in {kind}s, and {actor} may not list {kind}s {where} ({error.text})"
        return BackendError(error.code, text, kind=error.kind, status=error.status)


def newest(records: Iterable[Record]) -> list[Record]:
    """The newest revision of each release."""
    kept: dict[tuple[str, str], Record] = {}
    for record in records:
        key = (record.namespace, record.name)
        if key not in kept or record.revision > kept[key].revision:
            kept[key] = record
    return list(kept.values())


def _parts(names: Sequence[str], size: int) -> list[Sequence[str]]:
    return [names[at : at + size] for at in range(0, len(names), size)]


def _size_of_brief(brief: Brief) -> int:
    return 500 + len(brief.info.description)


async def _off_the_loop(decode: Callable[[], ValueT], packed: str | bytes) -> ValueT:
    """Decode here when it is small, else in a thread: other calls go on meanwhile."""
    return decode() if len(packed) < 100_000 else await asyncio.to_thread(decode)
