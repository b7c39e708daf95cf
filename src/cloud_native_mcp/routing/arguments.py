"""The argument pass: checks what a client sent against a tool's properties before anything else looks at it.

All problems are reported at once. A misspelt name gets the nearest known one. Text is taken for a number, a boolean or
a list where the schema asks for one ("5", "true", '["a"]'), never the other way. A null for an optional argument counts
as absent, because clients send it for an empty field.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final, cast

import orjson

from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.routing.schema import Property

_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN = 60
_LARGEST = 2**53
"""Beyond it a JSON number is no longer the same number in every client."""


class _Problem(Exception):
    """One argument is wrong; the text says how."""


def check(properties: Mapping[str, Property], given: Mapping[str, object]) -> dict[str, object]:
    """The arguments with their types right, defaults not filled in.

    Raises:
        InvalidArgument: names every wrong argument and its fix.
    """
    problems: list[tuple[str, str]] = []
    checked: dict[str, object] = {}
    for name, value in given.items():
        declared = properties.get(name)
        if declared is None:
            problems.append((shorten(name), _unknown(name, properties)))
        elif value is None and not declared.required:
            continue
        else:
            try:
                checked[name] = _value(declared, value)
            except _Problem as problem:
                problems.append((name, str(problem)))
    missing = [p for p in properties.values() if p.required and p.name not in given]
    problems += [(p.name, f"is required: {p.description}") for p in missing]
    if problems:
        first, text = problems[0]
        rest = "".join(f"; {name}: {why}" for name, why in problems[1:8])
        raise InvalidArgument(first, text + rest)
    return checked


def shorten(value: object) -> str:
    """A value of the caller's as it may be shown in an error: quoted, escaped, short."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _unknown(name: str, properties: Mapping[str, Property]) -> str:
    near = nearest(name, list(properties))
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(properties) or 'none'}"
    return f"unknown argument; {hint}"


def _value(declared: Property, value: object) -> object:
    match declared.type:
        case "array":
            return _array(declared, value)
        case "string":
            return _string(declared, value)
        case "boolean":
            return _boolean(value)
        case _:
            return _number(declared, value, whole=declared.type == "integer")


def _array(declared: Property, value: object) -> list[object]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise _Problem(f"must be a list, got text that is no JSON list: {shorten(value)}") from None
    if not isinstance(value, list):
        raise _Problem(f'must be a list such as ["…"], got {_kind(value)}')
    items = cast("list[object]", value)
    if len(items) > 1000:
        raise _Problem(f"takes 1000 entries at most, got {len(items)}")
    return [_item(declared, item) for item in items]


def _item(declared: Property, value: object) -> object:
    if declared.items in ("integer", "number"):
        return _number(declared, value, whole=declared.items == "integer")
    return _boolean(value) if declared.items == "boolean" else _string(declared, value)


def _string(declared: Property, value: object) -> str:
    if declared.json_text and isinstance(value, dict | list):
        value = _as_json(cast("object", value))
    if not isinstance(value, str):
        raise _Problem(f"must be text, got {_kind(value)}; write it in quotes")
    if len(value) > declared.max_length:
        raise _Problem(f"is too long: {len(value)} characters, at most {declared.max_length}")
    _check_characters(declared, value)
    if declared.choices and value not in declared.choices:
        near = nearest(value, declared.choices)
        hint = f"did you mean {near[0]}? " if near else ""
        raise _Problem(f"{shorten(value)} is not allowed; {hint}one of {', '.join(declared.choices)}")
    return value


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise _Problem("is nested too deep") from None


def _check_characters(declared: Property, value: str) -> None:
    """Refuse what hides in text: half surrogates always, invisible characters except in free text."""
    if value.isascii() and value.isprintable():
        return
    if _SURROGATE.search(value):
        raise _Problem("holds half of a surrogate pair, which is no text")
    if not declared.free_text and _INVISIBLE.search(value):
        raise _Problem("holds invisible characters (control, bidi or zero-width): remove them")


def _boolean(value: object) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _Problem(f"must be true or false, got {_kind(value)}")
    return value


def _number(declared: Property, value: object, *, whole: bool) -> int | float:
    number = _parse_number(value, whole=whole)
    low, high = declared.minimum, declared.maximum
    if abs(number) > _LARGEST:
        raise _Problem(f"is too large: {shorten(value)}")
    if (low is not None and number < low) or (high is not None and number > high):
        raise _Problem(f"must be {_bounds(low, high)}, got {shorten(value)}")
    return number


def _bounds(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _parse_number(value: object, *, whole: bool) -> int | float:
    wanted = "a whole number" if whole else "a number"
    if isinstance(value, str):
        try:
            value = int(value) if whole or value.lstrip("+-").isdigit() else float(value)
        except ValueError:
            raise _Problem(f"must be {wanted}, got {shorten(value)}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Problem(f"must be {wanted}, got {_kind(value)}")
    if whole and isinstance(value, float):
        if not value.is_integer():
            raise _Problem(f"must be a whole number, got {value}")
        return int(value)
    if not math.isfinite(value):
        raise _Problem("must be a finite number")
    return value


_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "an object"),
    (type(None), "null"),
)


def _kind(value: object) -> str:
    return next(name for kind, name in _KINDS if issubclass(type(value), kind)) + f" {shorten(value)}"
