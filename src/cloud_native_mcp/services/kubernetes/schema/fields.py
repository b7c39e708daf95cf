"""Fields of a kind: finding one by its path, listing what is below it, searching all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_native_mcp.services.kubernetes.schema.documents import Schema, SchemaDocument

DEEPEST: Final = 12
LONGEST_DESCRIPTION: Final = 300
_DEPRECATED: Final = re.compile(r"^Deprecated|\bDeprecated[:.]", re.IGNORECASE)
_VALUES: Final = "Possible enum values:"
"""Begins the part of a description that the API server's generator adds."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its path from the object's root, its schema, and the schema its type refers to."""

    path: str
    schema: Schema
    target: Schema
    required: bool

    @property
    def type(self) -> str:
        """The type as people write it: ``string``, ``[]Container``, ``map[string]string``."""
        return type_name(self.schema, self.target)

    @property
    def description(self) -> str:
        """What the field means, on one line, cut."""
        text = self._documentation
        return text if len(text) <= LONGEST_DESCRIPTION else f"{text[:LONGEST_DESCRIPTION]}…"

    @property
    def default(self) -> str:
        """The default as JSON; empty when there is none, or when it only says that a struct is there."""
        raw = bytes(self.schema.default).decode()
        return "" if raw in ("{}", "[]", '""') else raw

    @property
    def deprecated(self) -> bool:
        """Whether its documentation says so of the field itself, not of one of its values or of something beside it."""
        about = self._documentation.partition(_VALUES)[0]
        return _DEPRECATED.search(about) is not None

    def mentions(self, text: str) -> bool:
        """Whether its path or documentation holds a text; letter case does not count."""
        return text.casefold() in self.path.casefold() or text.casefold() in self._documentation.casefold()

    @property
    def _documentation(self) -> str:
        return " ".join((self.schema.description or self.target.description).split())


def find_field(document: SchemaDocument, root: Schema, path: str) -> Field:
    """The field of a dotted path; list and map levels are passed through.

    Raises:
        ToolError: ``unknown_field`` with the nearest names.
    """
    found = Field("", root, document.resolved(root), required=False)
    for name in [part for part in path.replace("[*]", "").replace("[]", "").strip(".").split(".") if part]:
        below = {field.path.rpartition(".")[2]: field for field in children(document, found)}
        if name not in below:
            near = nearest(name, list(below))
            hint = f"did you mean {near[0]}?" if near else f"fields: {', '.join(list(below)[:20]) or 'none'}"
            where = found.path or "the object"
            raise ToolError("unknown_field", f"field: {where} has no field {name[:60]!a}; {hint}")
        found = below[name]
    return found


def children(document: SchemaDocument, field: Field) -> list[Field]:
    """The fields right below one, in the order of their names; those of the items for lists and maps."""
    inner = _inner(document, field.target)
    prefix = f"{field.path}." if field.path else ""
    return [
        Field(f"{prefix}{name}", schema, document.resolved(schema), required=name in inner.required)
        for name, schema in sorted(inner.properties.items())
    ]


def walk(document: SchemaDocument, field: Field, *, depth: int) -> Iterator[Field]:
    """Fields below one, ``depth`` levels down; a type that holds itself is not entered twice on one path."""
    yield from _walk(document, field, depth, ())


def _walk(document: SchemaDocument, field: Field, depth: int, above: tuple[int, ...]) -> Iterator[Field]:
    inner = _inner(document, field.target)
    if depth == 0 or id(inner) in above or len(above) >= DEEPEST:
        return
    for child in children(document, field):
        yield child
        yield from _walk(document, child, depth - 1, (*above, id(inner)))


def type_name(schema: Schema, target: Schema) -> str:
    """A type's name: of what a reference points to, of a list's items, of a map's values."""
    if target.int_or_string or target.format == "int-or-string":
        return "int or string"
    if target.items is not None:
        return f"[]{_reference_name(target.items) or target.items.type or 'object'}"
    if target.additional is not None and not isinstance(target.additional, bool):
        return f"map[string]{_reference_name(target.additional) or target.additional.type or 'object'}"
    return _reference_name(schema) or target.type or "object"


def _reference_name(schema: Schema) -> str:
    reference = schema.ref or (schema.all_of[0].ref if len(schema.all_of) == 1 else "")
    return reference.rpartition(".")[2]


def _inner(document: SchemaDocument, target: Schema) -> Schema:
    """The schema that has the properties: of the items of a list, of the values of a map, else the schema itself."""
    while True:
        if target.items is not None:
            target = document.resolved(target.items)
        elif target.additional is not None and not isinstance(target.additional, bool):
            target = document.resolved(target.additional)
        else:
            return target
