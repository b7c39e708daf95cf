"""Columns and cells of a listed object: the server's own, labels, or values picked by JSONPath."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.jsonpath import parse_jsonpath
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.objects import mask_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.backends.kubernetes.table import TablePage
    from cloud_native_mcp.contract.jsonpath import JsonPath
    from cloud_native_mcp.contract.result import Cell

ColumnSet = Literal["default", "wide", "labels", "name"]
MOST_FIELDS = 12
MOST_SHOWN = 60_000
"""Characters of rows; an answer holds 40,000 bytes, and masks may shorten some."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows under their columns, NAMESPACE first where several namespaces can be among them."""

    columns: Sequence[str]
    cells: Sequence[Sequence[Cell]]


def worth_showing(cells: Sequence[Sequence[Cell]]) -> int:
    """How many of the rows an answer can hold at most, at least one; more would be masked and laid out for nothing."""
    size = 0
    for count, row in enumerate(cells):
        size += sum(len(cell) if isinstance(cell, str) else 1 for cell in row)
        if size > MOST_SHOWN:
            return count + 1
    return len(cells)


def table_rows(page: TablePage, *, columns: ColumnSet, namespaces: bool) -> Rows:
    """The rows of a server-made table."""
    names, cells = page.shown(wide=columns == "wide")
    names = [name.upper() for name in names]
    if columns == "name":
        keep = names.index("NAME") if "NAME" in names else 0
        names, cells = ["NAME"], [[row[keep]] for row in cells]
    if columns == "labels":
        names.append("LABELS")
        cells = [[*row, _labels(page, index)] for index, row in enumerate(cells)]
    if namespaces:
        names.insert(0, "NAMESPACE")
        cells = [[_namespace(page, index), *row] for index, row in enumerate(cells)]
    return Rows(names, cells)


def parse_fields(fields: Sequence[str]) -> list[JsonPath]:
    """The JSONPath expressions of an argument ``fields``.

    Raises:
        InvalidArgument: ``invalid_jsonpath`` with the position, or too many.
    """
    if len(fields) > MOST_FIELDS:
        raise InvalidArgument("fields", f"holds {len(fields)} expressions, at most {MOST_FIELDS}")
    return [parse_jsonpath(field, field="fields") for field in fields]


def field_columns(fields: Sequence[JsonPath]) -> list[str]:
    """Column names of expressions: their last name, in capitals, made unique by the whole expression."""
    names = [path.text.rstrip("]}").replace("[*", "").rpartition(".")[2].upper() or path.text for path in fields]
    return [name if names.count(name) == 1 else path.text for name, path in zip(names, fields, strict=True)]


def field_headings(fields: Sequence[JsonPath], *, namespaces: bool) -> list[str]:
    """The columns of rows made of expressions."""
    return (["NAMESPACE"] if namespaces else []) + ["NAME", *field_columns(fields)]


def field_cells(one: Mapping[str, object], fields: Sequence[JsonPath], *, namespaces: bool) -> list[Cell]:
    """An object's name, and what each expression selects of it."""
    return [
        *([as_str(dig(one, "metadata", "namespace"))] if namespaces else []),
        as_str(dig(one, "metadata", "name")),
        *(value_text(path.find(one)) for path in fields),
    ]


def value_text(values: Sequence[object]) -> str:
    """What an expression selected, as one cell: scalars plain, the rest as JSON, several with commas."""
    return ",".join(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")) for value in values)


def readable(resource: Resource, digest: Callable[[bytes], str]) -> Callable[[dict[str, object]], dict[str, object]]:
    """How objects of a kind are prepared before anything is picked out of them.

    Secrets lose their values, and so do variables and fields named like a credential: once a value stands alone in a
    cell, nothing tells any more what it was.
    """
    identity = {"apiVersion": resource.group_version, "kind": resource.kind}
    return lambda one: cast("dict[str, object]", mask_object(one | identity, digest))


def _namespace(page: TablePage, index: int) -> str:
    meta = page.rows[index].meta
    return meta.namespace if meta else ""


def _labels(page: TablePage, index: int) -> str:
    meta = page.rows[index].meta
    return ",".join(f"{key}={value}" for key, value in meta.labels.items()) if meta else ""
