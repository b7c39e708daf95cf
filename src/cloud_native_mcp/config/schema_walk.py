"""Walks values along the JSON Schema of their section, so that what is secret is known by declaration, not by name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

Path = tuple[str | int, ...]
_DEFINITIONS = "#/$defs/"


class Node:
    """The schemas that may hold at one place: the alternatives of a union side by side."""

    def __init__(self, schema: object, definitions: dict[str, object]) -> None:
        self._definitions = definitions
        self._alternatives = list(_alternatives(schema, definitions))

    @property
    def secret(self) -> bool:
        """Whether text at this place is a secret, or names one."""
        return any(schema.get("secret") is True for schema in self._alternatives)

    @property
    def keys(self) -> list[str]:
        """The names of the settings at this place; empty where names are free."""
        return [name for schema in self._alternatives for name in as_dict(schema.get("properties"))]

    def child(self, step: str | int) -> Node:
        """What may hold under a key or an index."""
        found: list[object] = []
        for schema in self._alternatives:
            if isinstance(step, int):
                found += [schema.get("items"), *as_list(schema.get("prefixItems"))]
                continue
            named = as_dict(schema.get("properties"))
            free = [schema.get("additionalProperties"), *as_dict(schema.get("patternProperties")).values()]
            found += [named[step]] if step in named else free
        return Node({"anyOf": found}, self._definitions)

    def at(self, path: Path) -> Node:
        """What may hold at the end of a path."""
        node = self
        for step in path:
            node = node.child(step)
        return node


@cache
def root(model: type[BaseModel]) -> Node:
    """The schema of a section."""
    schema: dict[str, object] = model.model_json_schema()
    return Node(schema, as_dict(schema.get("$defs")))


def secrets_of(node: Node, value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every secret text in a value, with its path."""
    if isinstance(value, str) and node.secret:
        yield path, value
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            yield from secrets_of(node.child(key), inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[object]", value)):
            yield from secrets_of(node.child(index), inner, (*path, index))


def _alternatives(schema: object, definitions: dict[str, object]) -> Iterator[dict[str, object]]:
    found = as_dict(schema)
    if not found:
        return
    yield found
    reference = as_str(found.get("$ref"))
    if reference.startswith(_DEFINITIONS):
        yield from _alternatives(definitions.get(reference.removeprefix(_DEFINITIONS)), definitions)
    for union in ("anyOf", "oneOf", "allOf"):
        for option in as_list(found.get(union)):
            yield from _alternatives(option, definitions)
