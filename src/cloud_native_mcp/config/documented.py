"""Every setting with its type, default and meaning, read off the models: what the documentation is written from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, cast, get_args, get_origin

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from cloud_native_mcp.config.environment import NESTING, PREFIX
from cloud_native_mcp.config.service_types import config_types
from cloud_native_mcp.config.settings import ServerSections
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.manager.discovery import discover

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.contract.configuration import ServiceConfig

_WORDS = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "Path": "path",
    "AwareDatetime": "date or time",
}


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One setting.

    Attributes:
        path: dotted; ``NAME`` stands for a name the operator chooses.
        type: in words.
        default: as JSON; empty when the setting must be given.
        env: the environment variable that sets it.
    """

    path: str
    type: str
    default: str
    description: str
    env: str


def settings(services: Mapping[str, type[ServiceConfig]] | None = None) -> Sequence[SettingDoc]:
    """Every setting of the server and of these services (by default all of its own), in the order of the models."""
    types = config_types(discover()) if services is None else services
    own = list(_fields(ServerSections, ()))
    return own + [doc for name, model in types.items() for doc in _fields(model, (name,))]


def _fields(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[SettingDoc]:
    for name, info in model.model_fields.items():
        yield from _setting(info, (*above, name))


def _setting(info: FieldInfo, path: tuple[str, ...]) -> Iterator[SettingDoc]:
    inner = _section(info.annotation)
    named = _named_sections(info.annotation)
    listed = _listed_sections(info.annotation)
    if inner is not None:
        yield from _fields(inner, path)
    elif named is not None:
        yield from _fields(named, (*path, "NAME"))
    elif listed is not None:
        yield _documented(info, path, "list")
        yield from _fields(listed, (*path[:-1], f"{path[-1]}[]"))
    else:
        yield _documented(info, path, _secret(info) or _words(info.annotation))


def _documented(info: FieldInfo, path: tuple[str, ...], words: str) -> SettingDoc:
    """A setting; one inside a list is set with the list, so that has its variable."""
    steps = takewhile(lambda step: not step.endswith("[]"), path)
    own = [*steps, *[step.removesuffix("[]") for step in path if step.endswith("[]")]]
    return SettingDoc(
        path=".".join(path),
        type=words,
        default=_default(info),
        description=info.description or "",
        env=PREFIX + NESTING.join(step.upper() for step in own),
    )


def _section(annotation: object) -> type[BaseModel] | None:
    """The section an annotation names, also as ``Section | None``."""
    options = [option for option in _options(annotation) if option is not type(None)]
    if len(options) == 1 and isinstance(options[0], type) and issubclass(options[0], BaseModel):
        return options[0]
    return None


def _named_sections(annotation: object) -> type[BaseModel] | None:
    """The section of ``dict[str, Section]``."""
    return _section(get_args(annotation)[1]) if get_origin(annotation) is dict else None


def _listed_sections(annotation: object) -> type[BaseModel] | None:
    """The section of ``list[Section]``."""
    return _section(get_args(annotation)[0]) if get_origin(annotation) is list else None


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return ""
    value = cast("object", info.get_default(call_default_factory=True, validated_data={}))
    if value is PydanticUndefined:
        return ""
    return orjson.dumps(to_jsonable_python(value)).decode()


def _secret(info: FieldInfo) -> str:
    extra: object = info.json_schema_extra
    return "secret" if as_dict(extra).get("secret") is True else ""


def _options(annotation: object) -> tuple[object, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _words(annotation: Any) -> str:  # noqa: ANN401 - any annotation a model may hold
    """An annotation in words: ``list of text``, ``core or extended``."""
    options = [option for option in _options(annotation) if option is not type(None)]
    if len(options) > 1:
        return " or ".join(dict.fromkeys(_words(option) for option in options))
    (only,) = options
    origin, arguments = get_origin(only), get_args(only)
    if origin is Literal:
        return " or ".join(f"`{option}`" for option in arguments)
    if origin in (list, tuple):
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"mapping of name to {_words(arguments[1])}"
    if origin is Annotated:
        secret = any(_secret(item) for item in arguments[1:] if isinstance(item, FieldInfo))
        return "secret" if secret else _words(arguments[0])
    return _enumeration(only) or _WORDS.get(getattr(only, "__name__", ""), str(getattr(only, "__name__", only)))


def _enumeration(annotation: Any) -> str:  # noqa: ANN401 - as above
    members = getattr(annotation, "__members__", None)
    return " or ".join(f"`{member.value}`" for member in members.values()) if members else ""
