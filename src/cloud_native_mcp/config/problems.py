"""What is wrong with a section, in words an operator can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from cloud_native_mcp.config.schema_walk import root
from cloud_native_mcp.config.tree import dotted
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import Problem
from cloud_native_mcp.response.clean import clean_line
from cloud_native_mcp.response.mask import scrub

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from cloud_native_mcp.config.schema_walk import Path

_TEXTS = {
    "missing": "is required",
    "list_type": 'must be a list (in an environment variable or flag, as JSON: ["a", "b"])',
    "tuple_type": 'must be a list (in an environment variable or flag, as JSON: ["a", "b"])',
    "dict_type": "must be a mapping",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "model_type": "must be a mapping of settings",
    "model_attributes_type": "must be a mapping of settings",
}


def problems_of(error: ValidationError, model: type[BaseModel], value: object, *, above: Path) -> list[Problem]:
    """Every fault of a value with its dotted path below ``above``; the alternatives of a union count as one fault.

    A fault that lies above another one is the alternative that was not meant.
    """
    texts: dict[Path, list[str]] = {}
    for detail in error.errors(include_url=False, include_input=False):
        path = _real_path(detail, value)
        told = texts.setdefault(path, [])
        text = _text(detail, model, path)
        if text not in told:
            told.append(text)
    return [
        Problem(dotted((*above, *path)), _joined(told))
        for path, told in texts.items()
        if not any(len(other) > len(path) and other[: len(path)] == path for other in texts)
    ]


def _real_path(detail: ErrorDetails, value: object) -> Path:
    """The part of an error's location that is in the value; the names of types tried on the way are left out."""
    path: list[str | int] = []
    steps = detail["loc"]
    for position, step in enumerate(steps):
        if isinstance(value, dict) and step in value:
            value = cast("dict[str, object]", value)[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(cast("list[object]", value)):
            value = cast("list[object]", value)[step]
        elif detail["type"] != "missing" or position != len(steps) - 1:
            continue
        path.append(step)
    return tuple(path)


def _text(detail: ErrorDetails, model: type[BaseModel], path: Path) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown_key(model, path)
    known = _TEXTS.get(detail["type"])
    if known is not None:
        return known
    text = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return scrub(clean_line(text))


def _unknown_key(model: type[BaseModel], path: Path) -> str:
    names = root(model).at(path[:-1]).keys
    near = nearest(str(path[-1]), names, 1)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known are {', '.join(names)}"


def _joined(texts: list[str]) -> str:
    return " or ".join([texts[0], *(text.removeprefix("must be ") for text in texts[1:])])
