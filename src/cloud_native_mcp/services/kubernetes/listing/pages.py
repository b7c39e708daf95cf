"""A list page by page, in the API's order: one request per kind, and a cursor that goes on after the last row shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.table import table_page
from cloud_native_mcp.contract.json_values import as_int, as_str
from cloud_native_mcp.contract.result import Page, Table
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.listing.columns import (
    Rows,
    field_cells,
    field_headings,
    readable,
    table_rows,
    worth_showing,
)
from cloud_native_mcp.services.kubernetes.listing.sources import each
from cloud_native_mcp.services.kubernetes.listing.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.jsonpath import JsonPath
    from cloud_native_mcp.contract.result import Cell, CursorState
    from cloud_native_mcp.services.kubernetes.listing.columns import ColumnSet
    from cloud_native_mcp.services.kubernetes.listing.sources import Source

NARROW: Final = "namespace, label_selector or field_selector"
_AT_ONCE: Final = 50
"""Whole objects decoded in one step."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be listed, the same for all kinds."""

    namespace: str | None
    label_selector: str
    field_selector: str
    limit: int
    columns: ColumnSet
    fields: Sequence[JsonPath]
    deadline: Deadline
    digest: Callable[[bytes], str]
    several_clusters: bool = False

    def query(self, *, cursor: str = "", limit: int | None = None) -> ListQuery:
        """The API's list query."""
        return ListQuery(self.namespace, self.label_selector, self.field_selector, limit or self.limit, cursor)

    def foreign(self, source: Source) -> bool:
        """Whether cells can hold free text that others wrote: chosen fields, custom columns, messages of events."""
        resource = source.resource
        return bool(self.fields) or not resource.builtin or resource.kind == "Event"

    def across(self, source: Source) -> bool:
        """Whether rows of several namespaces can come."""
        return source.resource.namespaced and self.namespace is None


@dataclass(frozen=True, slots=True)
class Position:
    """Where an answer begins: the source, the API's continue token there, rows to pass over, rows shown before."""

    source: int = 0
    token: str = ""
    skip: int = 0
    before: int = 0

    def state(self) -> CursorState:
        """As it is sealed in a cursor."""
        return {"source": self.source, "token": self.token, "skip": self.skip, "before": self.before}

    @classmethod
    def of(cls, state: CursorState | None) -> Position:
        """The position in a cursor's state, or the beginning."""
        state = state or {}
        return cls(
            as_int(state.get("source")),
            as_str(state.get("token")),
            as_int(state.get("skip")),
            as_int(state.get("before")),
        )


@dataclass(frozen=True, slots=True)
class Fetched:
    """One page of one source: its rows from the position on, and what the API said of the rest."""

    number: int
    source: Source
    token: str
    skip: int
    rows: Rows
    next_token: str
    remaining: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """The answer of a list: a table per source with rows, what failed, how to go on."""

    tables: Sequence[Table]
    page: Page
    failed: Sequence[str]
    empty: Sequence[Source]


async def list_pages_of(sources: Sequence[Source], asked: Asked, position: Position) -> Listed:
    """At most ``asked.limit`` rows from the position on, over as many sources as they come from."""
    if position.source >= len(sources):
        raise ToolError("expired_cursor", "cursor: the kinds or clusters changed; list again without cursor")
    numbers = {id(source): number for number, source in enumerate(sources)}

    async def ask(source: Source) -> Fetched:
        number = numbers[id(source)]
        if number != position.source:
            return await _fetch(source, asked, number, "", 0)
        try:
            return await _fetch(source, asked, number, position.token, position.skip)
        except BackendError as error:
            if error.code != "expired_cursor":
                raise
            raise ToolError(error.code, error.text) from error  # the rest without this kind would look complete

    answers, failed = await each(sources[position.source :], ask)
    fetched = [page for _, page in answers]
    tables = Tables(sources, several_clusters=asked.several_clusters)
    room = asked.limit
    for one in fetched:
        cells = one.rows.cells[:room]
        whole = len(cells)
        cells = cells[: worth_showing(cells)]
        room -= len(cells)
        tables.add(one.source, one.rows.columns, cells, untrusted=asked.foreign(one.source))
        if one.next_token or len(cells) < whole:
            break  # rows of later sources would come before the rest of this one, and again after it
    page = Page(
        resume=lambda shown: _resume(fetched, position, shown),
        total=_total(fetched, position),
        at_least=any(one.next_token and one.remaining is None for one in fetched),
        narrow=NARROW,
    )
    return Listed(tables.tables, page, failed, [one.source for one in fetched if not one.rows.cells])


async def _fetch(source: Source, asked: Asked, number: int, token: str, skip: int) -> Fetched:
    query = asked.query(cursor=token)
    across = asked.across(source)
    if asked.fields:
        objects = await list_page(source.client, source.resource, query, item=msgspec.Raw, deadline=asked.deadline)
        rows = await _field_rows(objects.items, asked, source)
        cursor, remaining = objects.cursor, objects.remaining
    else:
        include = "Metadata" if across or asked.columns == "labels" else "None"
        table = await table_page(source.client, source.resource, query, include=include, deadline=asked.deadline)
        rows = table_rows(table, columns=asked.columns, namespaces=across)
        cursor, remaining = table.cursor, table.remaining
    return Fetched(number, source, token, skip, Rows(rows.columns, rows.cells[skip:]), cursor, remaining)


async def _field_rows(objects: Sequence[msgspec.Raw], asked: Asked, source: Source) -> Rows:
    """A row per object. Whole objects are large: decoded a few at a time, other calls are served in between."""
    prepare, across = readable(source.resource, asked.digest), asked.across(source)
    cells: list[Sequence[Cell]] = []
    for start in range(0, len(objects), _AT_ONCE):
        for raw in objects[start : start + _AT_ONCE]:
            one = prepare(msgspec.json.decode(raw, type=dict[str, object]))
            cells.append(field_cells(one, asked.fields, namespaces=across))
        await asyncio.sleep(0)
    return Rows(field_headings(asked.fields, namespaces=across), cells)


def _resume(fetched: Sequence[Fetched], start: Position, shown: int) -> CursorState | None:
    """The position after so many rows, or None at the end of everything."""
    left = shown
    for one in fetched:
        count = len(one.rows.cells)
        if left < count:
            return Position(one.number, one.token, one.skip + left, start.before + shown).state()
        left -= count
        if one.next_token:
            return Position(one.number, one.next_token, 0, start.before + shown).state()
    return None


def _total(fetched: Sequence[Fetched], start: Position) -> int:
    """Rows before, here, and after as far as the API tells."""
    return start.before + sum(len(one.rows.cells) + (one.remaining or 0) for one in fetched)
