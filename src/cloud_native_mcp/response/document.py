"""Writes JSON-like values as YAML or JSON.

The YAML written here is the small part of YAML 1.2 that any reader agrees on: block maps and lists, literal blocks for
text of several lines, and quotes wherever plain text could be read as something else. It is an order of magnitude
cheaper than a general writer, and this runs in most answers.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Final, Literal, cast

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WORD: Final = re.compile(r"[A-Za-z_/][\w./@+=-]*", re.ASCII)
# Plain text: starts with a letter or another harmless character and holds no ": ", " #" or anything reserved.
_PLAIN: Final = re.compile(r"[A-Za-z_/$(<](?:[\w./@+=,()<>*%~;!?$&{}\[\]|^'\"`-]|:(?=[^\s])| (?=[^ #]))*", re.ASCII)
_PLAIN_NUMBER: Final = re.compile(r"\d+(?:\.\d+){2,}(?:/\d+)?|\d+(?:m|Ki|Mi|Gi|Ti|s|h|d)")
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "<<"})
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


_LISTS: Final = (list, tuple)


def dump(value: object, form: Literal["yaml", "json"]) -> str:
    """The value as text of one or more lines, without a newline at the end."""
    return dump_json(value) if form == "json" else dump_yaml(value)


def dump_json(value: object) -> str:
    """Indented JSON, so that it can be cut at a line; numbers beyond 64 bits are kept."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value, indent=2, default=str, ensure_ascii=True)


def dump_yaml(value: object) -> str:
    """Block-style YAML, without the newline that ends it."""
    lines: list[str] = []
    if isinstance(value, dict) and value:
        _map(cast("Mapping[str, object]", value), "", lines)
    elif isinstance(value, list | tuple) and value:
        _list(cast("Sequence[object]", value), "", lines)
    else:
        lines.append(_scalar(cast("object", value), ""))
    return "\n".join(lines)


def _map(value: Mapping[str, object], indent: str, lines: list[str], first: str | None = None) -> None:
    """Writes the entries; ``first`` takes the place of the indent on the first line (the dash of a list)."""
    for key, item in value.items():
        name = (indent if first is None else first) + _key(key)
        first = None
        if isinstance(item, str):
            lines.append(f"{name} {_text(item, indent)}")
        elif isinstance(item, dict) and item:
            lines.append(name)
            _map(cast("Mapping[str, object]", item), indent + "  ", lines)
        elif isinstance(item, _LISTS) and item:
            lines.append(name)
            _list(cast("Sequence[object]", item), indent, lines)
        else:
            lines.append(f"{name} {_scalar(cast('object', item), indent)}")


def _list(value: Sequence[object], indent: str, lines: list[str], first: str | None = None) -> None:
    for item in value:
        dash = (indent if first is None else first) + "- "
        first = None
        if isinstance(item, dict) and item:
            _map(cast("Mapping[str, object]", item), indent + "  ", lines, dash)
        elif isinstance(item, _LISTS) and item:
            _list(cast("Sequence[object]", item), indent + "  ", lines, dash)
        else:
            lines.append(dash + _scalar(cast("object", item), indent))


@functools.lru_cache(maxsize=8_192)
def _key(key: object) -> str:
    """A key with its colon; the fields of objects are few, and come again in every answer."""
    return _quoted(str(key)) + ":"


def _scalar(value: object, indent: str) -> str:
    if isinstance(value, str):
        return _text(value, indent)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return _quoted(str(value))


def _text(text: str, indent: str) -> str:
    return _block(text, indent) if "\n" in text else _quoted(text)


def _number(value: float) -> str:
    text = repr(value)
    if text in {"nan", "inf", "-inf"}:
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[text]
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def _quoted(text: str) -> str:
    if _WORD.fullmatch(text) or _PLAIN.fullmatch(text):
        if text[-1] != ":" and text.lower() not in _RESERVED:
            return text
    elif _PLAIN_NUMBER.fullmatch(text):
        return text
    return _in_quotes(text)


def _in_quotes(text: str) -> str:
    """JSON's quotes, which YAML shares except for characters outside of its printable set."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def _block(text: str, indent: str) -> str:
    """A literal block, or quotes where a block could not hold the text exactly."""
    body = text.rstrip("\n")
    lines = body.split("\n")
    if not body or not lines[0] or lines[0][0] in " \t" or _UNPRINTABLE.search(text):
        return _in_quotes(text)
    ends = len(text) - len(body)
    sign = "-" if ends == 0 else "" if ends == 1 else "+"
    shown = [f"{indent}  {line}" if line else "" for line in lines] + [""] * (ends - 1)
    return "|" + sign + "\n" + "\n".join(shown)
