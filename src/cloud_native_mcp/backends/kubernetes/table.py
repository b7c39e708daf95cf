"""Lists as tables that the API server makes: the columns kubectl shows, a fortieth of the bytes.

https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from cloud_native_mcp.backends.kubernetes.confined_lists import allowed_namespaces, walk
from cloud_native_mcp.backends.kubernetes.lists import list_words
from cloud_native_mcp.backends.kubernetes.meta import ListMeta, ObjectMeta, PartialObject
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.lists import ListQuery
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell

IncludeObject = Literal["None", "Metadata", "Object"]
"""What rows carry beside their cells. ``None`` drops the namespace too, so it serves only within one namespace."""

TABLE: Final = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


class Column(msgspec.Struct, frozen=True, gc=False):
    """A column. Those of priority 0 are shown by default, the others in wide tables."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


class Row(msgspec.Struct):
    """Cells in the order of the columns, and what `IncludeObject` asked for, decoded when it is looked at."""

    cells: list[object] = []
    raw: msgspec.Raw = msgspec.field(name="object", default=msgspec.Raw(b"null"))

    @property
    def meta(self) -> ObjectMeta | None:
        """Metadata of the object; None when the row carries none."""
        return (
            None
            if memoryview(self.raw).nbytes == len(b"null")
            else msgspec.json.decode(self.raw, type=PartialObject).metadata
        )

    def value(self) -> dict[str, object]:
        """The object as the row carries it, as a plain dict; empty when it carries none."""
        return msgspec.json.decode(self.raw, type=dict[str, object] | None) or {}


class _Table(msgspec.Struct, rename="camel"):
    kind: str = ""
    column_definitions: list[Column] | None = None
    rows: list[Row] | None = None
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[msgspec.Raw] | None = None


@dataclass(frozen=True, slots=True)
class TablePage:
    """One page of a table. ``cursor`` and ``remaining`` are as in `lists.Page`."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    cursor: str
    remaining: int | None
    resource_version: str

    def shown(self, *, wide: bool = False) -> tuple[list[str], list[list[Cell]]]:
        """Names and cells of the columns of priority 0, or of all."""
        chosen = [index for index, column in enumerate(self.columns) if wide or column.priority == 0]
        names = [self.columns[index].name for index in chosen]
        return names, [[_cell(row.cells, index) for index in chosen] for row in self.rows]


async def table_page(
    client: KubernetesClient,
    resource: Resource,
    query: ListQuery,
    *,
    deadline: Deadline,
    include: IncludeObject = "Metadata",
) -> TablePage:
    """One page of a table. A server that makes none for the kind gives name and creation time.

    Raises:
        KubernetesError: as `lists.list_page`.
    """
    namespaces = await allowed_namespaces(client, resource, query, deadline=deadline)
    if namespaces is None:
        return await _requested(client, resource, query, deadline, include)

    async def fetch(inside: ListQuery) -> TablePage:
        return await _requested(client, resource, inside, deadline, include)

    pages, cursor = await walk(namespaces, resource, query, fetch, size=lambda page: len(page.rows))
    columns = next((page.columns for page in pages if page.columns), ())
    rows = [row for page in pages for row in page.rows]
    return TablePage(columns, rows, cursor, None, pages[-1].resource_version if pages else "")


async def _requested(
    client: KubernetesClient, resource: Resource, query: ListQuery, deadline: Deadline, include: IncludeObject
) -> TablePage:
    what = list_words(resource, query)
    response = await client.read(
        resource,
        resource.path(namespace=query.namespace),
        what=what,
        deadline=deadline,
        params=[*query.params(), ("includeObject", include)],
        accept=TABLE,
    )
    table = decode_json(response, _Table, what=what, target=client.target)
    meta = table.metadata
    columns, rows = table.column_definitions or [], table.rows or []
    if table.kind != "Table":
        columns, rows = _plain(table.items or [])
    return TablePage(columns, rows, meta.continue_, meta.remaining_item_count, meta.resource_version)


def _plain(items: Sequence[msgspec.Raw]) -> tuple[list[Column], list[Row]]:
    """A table of objects that came as they are."""
    columns = [Column("Name", format="name"), Column("Created At", format="date-time")]
    rows = [Row([], item) for item in items]
    for row in rows:
        meta = row.meta or ObjectMeta()
        row.cells = [meta.name, meta.creation_timestamp or ""]
    return columns, rows


def _cell(cells: Sequence[object], index: int) -> Cell:
    """A cell as a scalar; a custom column can hold a list or an object, shown as JSON."""
    value = cells[index] if index < len(cells) else None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return msgspec.json.encode(value).decode()
