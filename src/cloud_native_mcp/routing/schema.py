"""Writes the flat JSON Schema of a tool from its argument struct.

msgspec's own writer gives ``$ref``, ``anyOf`` and null defaults, which several clients refuse; the rules here are the
ones `tests.meta` lints the whole catalogue with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, inspect

from cloud_native_mcp.contract.json_values import as_dict, as_str
from cloud_native_mcp.errors import ServiceDefinitionError

if TYPE_CHECKING:
    from cloud_native_mcp.contract.tool import Args

Scalar = Literal["string", "integer", "number", "boolean"]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


LONGEST_TEXT: Final = 16_384
LONGEST_DOCUMENT: Final = 1_000_000
"""Characters of a document given as text; its tool may allow less."""


@dataclass(frozen=True, slots=True)
class Property:
    """One argument, as the schema shows it and as the argument pass checks it."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "array"]
    description: str
    required: bool = False
    items: Scalar | None = None
    choices: tuple[str, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    max_length: int = LONGEST_TEXT
    default: object = NODEFAULT
    free_text: bool = False
    json_text: bool = False

    def wire(self) -> dict[str, object]:
        """The property in JSON Schema."""
        shown: dict[str, object] = {"type": self.type, "description": self.description}
        if self.type == "array":
            shown["items"] = {"type": self.items} | ({"enum": list(self.choices)} if self.choices else {})
        elif self.choices:
            shown["enum"] = list(self.choices)
        if self.minimum is not None:
            shown["minimum"] = self.minimum
        if self.maximum is not None:
            shown["maximum"] = self.maximum
        if self.default is not NODEFAULT:
            shown["default"] = self.default
        return shown


def properties_of(args: type[Args]) -> tuple[Property, ...]:
    """The properties of an argument struct, in the order of its fields.

    Raises:
        ServiceDefinitionError: a field has a type or name the schema rules do not allow.
    """
    hints = get_type_hints(args, include_extras=True)
    info = inspect.type_info(args)
    if not isinstance(info, inspect.StructType):
        raise ServiceDefinitionError(f"{args.__name__} is not an argument struct")
    return tuple(_property(args, entry, hints[entry.name]) for entry in info.fields)


def input_schema(properties: tuple[Property, ...]) -> dict[str, object]:
    """The input schema of a tool with these properties."""
    schema: dict[str, object] = {"type": "object", "properties": {p.name: p.wire() for p in properties}}
    required = [p.name for p in properties if p.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema


def _property(args: type[Args], entry: inspect.Field, hint: object) -> Property:
    where = f"{args.__module__}.{args.__name__}.{entry.encode_name}"
    if not _NAME.fullmatch(entry.encode_name):
        raise ServiceDefinitionError(f"{where}: an argument's name must match {_NAME.pattern}")
    kind, description, extra = _unwrap(entry.type)
    if not description:
        raise ServiceDefinitionError(f"{where}: needs Meta(description=…)")
    base = Property(
        name=entry.encode_name,
        type="string",
        description=description,
        required=entry.required,
        default=entry.default if entry.default is not msgspec.UNSET else NODEFAULT,
        free_text=bool(extra.get("free_text")),
        json_text=bool(extra.get("json_text")),
        max_length=LONGEST_DOCUMENT if extra.get("json_text") else LONGEST_TEXT,
    )
    if isinstance(kind, inspect.ListType):
        item, _, _ = _unwrap(kind.item_type)
        return replace(base, type="array", **_constraints(item, hint, where, item=True))
    return replace(base, **_constraints(kind, hint, where, item=False))


def _constraints(kind: inspect.Type, hint: object, where: str, *, item: bool) -> dict[str, Any]:
    """The constraint fields of a property (or of the items of a list) of that type."""
    key = "items" if item else "type"
    match kind:
        case inspect.LiteralType():
            return {key: "string", "choices": _literal_values(hint)}
        case inspect.StrType():
            return {key: "string"} | ({"max_length": kind.max_length} if kind.max_length is not None else {})
        case inspect.BoolType():
            return {key: "boolean"}
        case inspect.IntType() | inspect.FloatType():
            name = "integer" if isinstance(kind, inspect.IntType) else "number"
            return {key: name, "minimum": kind.ge, "maximum": kind.le}
        case _:
            raise ServiceDefinitionError(f"{where}: {type(kind).__name__} has no place in a flat schema")


def _unwrap(kind: inspect.Type) -> tuple[inspect.Type, str, dict[str, object]]:
    """The type inside annotations and ``| UnsetType``, with its description and extras."""
    description, extra = "", dict[str, object]()
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        if isinstance(kind, inspect.Metadata):
            description = as_str(as_dict(cast("object", kind.extra_json_schema)).get("description"), description)
            extra |= as_dict(cast("object", kind.extra))  # pyright: ignore[reportUnknownMemberType]
            kind = kind.type
        else:
            kind = next(t for t in kind.types if not isinstance(t, inspect.NoneType))
    return kind, description, extra


def _literal_values(hint: object) -> tuple[str, ...]:
    """The values of the ``Literal`` inside a hint in the order they are written (msgspec sorts them)."""
    if get_origin(hint) is Literal:
        return tuple(str(value) for value in get_args(hint))
    for inner in get_args(hint):
        if found := _literal_values(inner):
            return found
    return ()
