"""Lists that must look at many objects: text search, sorting, counting.

Objects are read page by page and only what is shown or compared is kept, so memory stays small and no step is long.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.table import table_page
from cloud_native_mcp.contract.jsonpath import parse_jsonpath
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.kubernetes.listing.columns import (
    Rows,
    field_cells,
    field_headings,
    readable,
    table_rows,
    value_text,
)
from cloud_native_mcp.services.kubernetes.listing.ordering import sort_key
from cloud_native_mcp.services.kubernetes.listing.search import Searchable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.table import IncludeObject, Row, TablePage
    from cloud_native_mcp.contract.jsonpath import JsonPath
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.kubernetes.listing.ordering import SortKey
    from cloud_native_mcp.services.kubernetes.listing.pages import Asked
    from cloud_native_mcp.services.kubernetes.listing.sources import Source

MOST_SCANNED: Final = 10_000
"""Objects of one kind that are looked at; beyond it the answer says so."""
_PAGE: Final = {"None": 500, "Metadata": 500, "Object": 250}
"""Rows a page by what they carry."""
_AT_ONCE: Final = {"None": 500, "Metadata": 250, "Object": 25}
"""Rows looked at in one step, a few milliseconds."""
_AGES: Final = frozenset({"AGE", "LASTSEEN", "FIRSTSEEN", "DURATION", "LASTSCHEDULE"})


@dataclass(frozen=True, slots=True)
class By:
    """What rows are sorted or counted by: a column of the table, or a JSONPath into the object."""

    text: str
    field: str
    path: JsonPath | None
    descending: bool = False

    @classmethod
    def parse(cls, text: str, *, field: str) -> By:
        """``AGE``, ``-RESTARTS``, ``.status.hostIP``, ``-.metadata.labels.app``."""
        bare = text.removeprefix("-").strip()
        if not bare:
            raise InvalidArgument(field, "is empty; give a column such as AGE, or a JSONPath such as .spec.nodeName")
        is_path = bare.startswith((".", "$", "{", "["))
        path = parse_jsonpath(bare, field=field) if is_path else None
        return cls(bare, field, path, descending=text.startswith("-"))


@dataclass(frozen=True, slots=True)
class Scan:
    """What is looked for. ``query`` is in lower case."""

    query: str = ""
    sort_by: By | None = None
    count_by: By | None = None

    def include(self, source: Source, asked: Asked) -> IncludeObject:
        """The least that rows must carry."""
        paths = any(by is not None and by.path is not None for by in (self.sort_by, self.count_by))
        if asked.fields or paths or (self.query and not _is_secret(source)):
            return "Object"
        return "Metadata" if asked.across(source) or asked.columns == "labels" or self.query else "None"


@dataclass(slots=True)
class Scanned:
    """What a scan of one source found: rows with the value each is ordered by, or counts of values."""

    source: Source
    columns: Sequence[str] = ()
    rows: list[tuple[SortKey, Sequence[Cell]]] = field(default_factory=list["tuple[SortKey, Sequence[Cell]]"])
    counts: Counter[str] = field(default_factory=Counter[str])
    seen: int = 0
    complete: bool = True


async def scan_source(source: Source, asked: Asked, scan: Scan) -> Scanned:
    """Look at every object of a source, `MOST_SCANNED` at most."""
    include = scan.include(source, asked)
    found = Scanned(source)
    query = asked.query(limit=_PAGE[include])
    prepare = readable(source.resource, asked.digest)
    while True:
        page = await table_page(source.client, source.resource, query, include=include, deadline=asked.deadline)
        found.seen += len(page.rows)
        for start in range(0, len(page.rows), _AT_ONCE[include]):
            piece = replace(page, rows=page.rows[start : start + _AT_ONCE[include]])
            await asyncio.sleep(0)
            _take(found, piece, asked, scan, prepare)
        if not page.cursor:
            return found
        if found.seen >= MOST_SCANNED:
            found.complete = False
            return found
        query = query.after(page.cursor)


def _take(
    found: Scanned,
    page: TablePage,
    asked: Asked,
    scan: Scan,
    prepare: Callable[[dict[str, object]], dict[str, object]],
) -> None:
    """Keep of a page what matches."""
    chosen = [index for index, row in enumerate(page.rows) if not scan.query or _holds(row, scan.query)]
    if not chosen:
        return
    objects = _Objects(page, prepare)
    if scan.count_by is not None:
        values = _values(scan.count_by, page, objects, across=asked.across(found.source))
        for index in chosen:
            found.counts.update(values(index))
        return
    shown = _shown(page, objects, chosen, asked, found.source)
    found.columns = shown.columns
    keys = _keys(scan.sort_by, page, objects, across=asked.across(found.source))
    for index, cells in zip(chosen, shown.cells, strict=True):
        found.rows.append((keys(index), cells))


class _Objects:
    """The objects of a page, each decoded once and only when it is needed."""

    def __init__(self, page: TablePage, prepare: Callable[[dict[str, object]], dict[str, object]]) -> None:
        self._page = page
        self._prepare = prepare
        self._decoded: dict[int, dict[str, object]] = {}

    def __getitem__(self, index: int) -> dict[str, object]:
        if index not in self._decoded:
            self._decoded[index] = self._prepare(self._page.rows[index].value())
        return self._decoded[index]


def _shown(page: TablePage, objects: _Objects, chosen: Sequence[int], asked: Asked, source: Source) -> Rows:
    across = asked.across(source)
    if asked.fields:
        cells = [field_cells(objects[index], asked.fields, namespaces=across) for index in chosen]
        return Rows(field_headings(asked.fields, namespaces=across), cells)
    rows = table_rows(page, columns=asked.columns, namespaces=across)
    return Rows(rows.columns, [rows.cells[index] for index in chosen])


def _keys(by: By | None, page: TablePage, objects: _Objects, *, across: bool) -> Callable[[int], SortKey]:
    if by is None:
        return lambda _: (0, 0.0, "")
    if by.path is not None:
        path = by.path
        return lambda index: sort_key(_scalar(path.find(objects[index])), is_age=False)
    cell = _column(by, page, across=across)
    is_age = _plain(by.text) in _AGES
    return lambda index: sort_key(cell(index), is_age=is_age)


def _values(by: By, page: TablePage, objects: _Objects, *, across: bool) -> Callable[[int], list[str]]:
    if by.path is not None:
        path = by.path
        return lambda index: [value_text([value]) for value in path.find(objects[index])] or ["<none>"]
    cell = _column(by, page, across=across)
    return lambda index: [str(value) if (value := cell(index)) not in (None, "") else "<none>"]


def _column(by: By, page: TablePage, *, across: bool) -> Callable[[int], Cell]:
    """The cells of the column a caller names, in any letter case, spaces and dashes ignored.

    Raises:
        InvalidArgument: no such column; names the nearest.
    """
    wanted = _plain(by.text)
    if wanted == "NAMESPACE" and across:
        return lambda index: meta.namespace if (meta := page.rows[index].meta) else ""
    names = [column.name for column in page.columns]
    for position, name in enumerate(names):
        if _plain(name) == wanted:
            return lambda index: _scalar([page.rows[index].cells[position]])
    known = [name.upper() for name in names]
    near = nearest(by.text.upper(), known)
    hint = f"did you mean {near[0]}?" if near else f"columns: {', '.join(known)}"
    raise InvalidArgument(by.field, f"no column {by.text!a}; {hint} A JSONPath starts with a dot, e.g. .spec.nodeName")


def _scalar(values: Sequence[object]) -> Cell:
    if len(values) == 1 and (values[0] is None or isinstance(values[0], str | int | float | bool)):
        return values[0]
    return value_text(values) if values else None


def _holds(row: Row, text: str) -> bool:
    return msgspec.json.decode(row.raw, type=Searchable).holds(text)


def _plain(name: str) -> str:
    return name.upper().replace(" ", "").replace("-", "").replace("_", "")


def _is_secret(source: Source) -> bool:
    return (source.resource.group, source.resource.kind) == ("", "Secret")
