"""What every tool's declaration must look like, so that every client and model can use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.contract.json_values import as_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROPERTY_KEYS: Final = frozenset({"type", "description", "default", "enum", "items", "minimum", "maximum"})
TOP_KEYS: Final = frozenset({"type", "properties", "required", "additionalProperties"})
TYPES: Final = frozenset({"string", "integer", "number", "boolean", "array"})
HINTS: Final = frozenset({"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"})
MAX_PROPERTIES: Final = 12

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def faults(tools: Sequence[Mapping[str, object]], services: Sequence[str]) -> list[str]:
    """Everything wrong with a tool list, each as ``tool: what``."""
    found = [f"{tool['name']}: {fault}" for tool in tools for fault in _tool_faults(tool, services)]
    names = [str(tool["name"]) for tool in tools]
    return found + [f"{name}: name used twice" for name in sorted({n for n in names if names.count(n) > 1})]


def _tool_faults(tool: Mapping[str, object], services: Sequence[str]) -> Iterator[str]:
    name = str(tool["name"])
    if not _NAME.fullmatch(name):
        yield "name"
    if not name.startswith(tuple(f"{service}_" for service in services)):
        yield "prefix is no service"
    if not 0 < len(str(tool.get("description", ""))) <= 300:
        yield "description is empty or longer than 300"
    if not set(as_dict(tool.get("annotations"))) >= HINTS:
        yield "annotations"
    yield from _schema_faults(as_dict(tool["inputSchema"]))


def _schema_faults(schema: Mapping[str, object]) -> Iterator[str]:
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
        yield "not a closed object"
    if set(schema) - TOP_KEYS:
        yield f"keys {sorted(set(schema) - TOP_KEYS)}"
    properties = as_dict(schema.get("properties"))
    if len(properties) > MAX_PROPERTIES:
        yield f"more than {MAX_PROPERTIES} properties"
    if set(cast("list[str]", schema.get("required", []))) - set(properties):
        yield "requires what it does not have"
    for name, value in properties.items():
        yield from (f"{name}: {fault}" for fault in _property_faults(name, as_dict(value)))


def _property_faults(name: str, value: Mapping[str, object]) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield "name"
    if set(value) - PROPERTY_KEYS:
        yield f"keys {sorted(set(value) - PROPERTY_KEYS)}"
    if str(value.get("type")) not in TYPES:
        yield f"type {value.get('type')!r}"
    if not 0 < len(str(value.get("description", ""))) <= 120:
        yield "description is empty or longer than 120"
    items = as_dict(value.get("items"))
    if value.get("type") == "array" and not isinstance(items.get("type"), str):
        yield "items without type"
    for choices in (value.get("enum", []), items.get("enum", [])):
        if not all(isinstance(choice, str) for choice in cast("list[object]", choices)):
            yield "a choice is not a string"
    if "default" in value and value["default"] is None:
        yield "null default"
