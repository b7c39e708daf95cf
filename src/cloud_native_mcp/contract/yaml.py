"""YAML as plain JSON values: read strictly with the C parser, written so that every YAML reader agrees.

Reading refuses tags, duplicate keys, documents that grow by aliases, deep nesting and more documents than allowed.
Scalars follow the reading of Kubernetes' own tools: dates are text, ``0644`` is octal, ``1e3`` is a number, ``yes`` and
``on`` are booleans, and ``1:30`` is text. Keys become text, as in JSON.
"""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

import yaml as pyyaml

from cloud_native_mcp.contract.json_values import as_dict, as_list
from cloud_native_mcp.errors import InvalidArgument

_DEPTH: Final = 100
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", re.ASCII)
_OCTAL = re.compile(r"[-+]?0[0-7_]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL: Final = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
_BOOLEANS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_LONGEST_NUMBER: Final = 100
_MERGE: Final = "<<"


def load_one(text: str, *, field: str, max_values: int = 200_000) -> object:
    """The value of a text that holds exactly one document (None when it is empty).

    Args:
        field: the argument or file the text came from, for the error.
        max_values: most scalars, lists and mappings, counted after aliases are written out.

    Raises:
        InvalidArgument: malformed or refused YAML (with line and column), or several documents.
    """
    documents = load_all(text, field=field, max_documents=1, max_values=max_values)
    return documents[0] if documents else None


def load_all(text: str, *, field: str, max_documents: int = 100, max_values: int = 200_000) -> list[object]:
    """The values of all documents that are not empty; otherwise as `load_one`."""
    builder = _Builder(field, max_documents, max_values)
    try:
        for event in pyyaml.parse(text, Loader=pyyaml.CSafeLoader):
            builder.take(event)
    except pyyaml.MarkedYAMLError as error:
        why = str(error.problem or error.context or "malformed")
        raise _refused(field, why, error.problem_mark or error.context_mark) from None
    except (pyyaml.YAMLError, UnicodeEncodeError):
        raise InvalidArgument(field, "the YAML holds a character that is not allowed") from None
    return builder.documents


def dump(value: object) -> str:
    """JSON values as block YAML in the order given, long lines unbroken, text of several lines as a literal block."""
    written = pyyaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1_000_000
    )
    return written.removesuffix("...\n")


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read. ``size`` counts the values in it, aliases written out."""

    value: list[object] | dict[str, object]
    anchor: str | None
    size: int = 1
    key: str | None = None
    merging: bool = False
    merges: list[object] = field(default_factory=list[object])


class _Builder:
    """Builds values from parser events without recursion, so that no input is too deep for it."""

    def __init__(self, field: str, max_documents: int, max_values: int) -> None:
        self.documents: list[object] = []
        self._field = field
        self._max_documents = max_documents
        self._max_values = max_values
        self._values = 0
        self._started = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[object, int]] = {}

    def take(self, event: pyyaml.Event) -> None:
        """Go on by one event; raises `InvalidArgument` at what is refused."""
        if isinstance(event, pyyaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, pyyaml.ScalarEvent):
            self._put_scalar(event)
        elif isinstance(event, pyyaml.AliasEvent):
            self._put_alias(event)
        elif isinstance(event, pyyaml.CollectionStartEvent):
            self._start_collection(event)
        elif isinstance(event, pyyaml.CollectionEndEvent):
            closed = self._open.pop()
            value = _merged(closed) if closed.merges else closed.value
            self._put(value, closed.size, event, closed.anchor)

    def _start_document(self, event: pyyaml.DocumentStartEvent) -> None:
        self._started += 1
        self._anchors = {}
        if self._started > 10 * self._max_documents:
            raise self._too_many(event)

    def _put_scalar(self, event: pyyaml.ScalarEvent) -> None:
        self._refuse_tag(event, event.tag)
        self._count(1, event)
        text = event.value
        plain = not event.style
        parent = self._open[-1] if self._open else None
        if plain and text == _MERGE and parent is not None and isinstance(parent.value, dict) and parent.key is None:
            parent.key, parent.merging = _MERGE, True
        else:
            self._put(_scalar(text) if plain else text, 1, event, event.anchor)

    def _start_collection(self, event: pyyaml.CollectionStartEvent) -> None:
        self._refuse_tag(event, event.tag)
        self._count(1, event)
        if len(self._open) >= _DEPTH:
            raise _refused(self._field, f"nested deeper than {_DEPTH} levels", event.start_mark)
        empty: list[object] | dict[str, object] = {} if isinstance(event, pyyaml.MappingStartEvent) else []
        self._open.append(_Open(empty, event.anchor))

    def _put_alias(self, event: pyyaml.AliasEvent) -> None:
        name = cast("str", event.anchor)
        if name not in self._anchors:
            raise _refused(self._field, f"alias *{name[:40]} has no finished anchor before it", event.start_mark)
        value, size = self._anchors[name]
        self._count(size, event)
        self._put(copy.deepcopy(value), size, event, None)

    def _put(self, value: object, size: int, event: pyyaml.Event, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, size)
        if not self._open:
            if value is not None and len(self.documents) >= self._max_documents:
                raise self._too_many(event)
            if value is not None:
                self.documents.append(value)
            return
        parent = self._open[-1]
        parent.size += size
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = self._key(value, parent, event)
        else:
            if parent.merging:
                parent.merges.append(value)
            else:
                parent.value[parent.key] = value
            parent.key, parent.merging = None, False

    def _key(self, value: object, parent: _Open, event: pyyaml.Event) -> str:
        if isinstance(value, (dict, list)):
            raise _refused(self._field, "a key must be a scalar", event.start_mark)
        key = value if isinstance(value, str) else _key_text(value)
        if key in parent.value:
            raise _refused(self._field, f"key {key[:60]!a} appears twice", event.start_mark)
        return key

    def _too_many(self, event: pyyaml.Event) -> InvalidArgument:
        return _refused(self._field, f"more than {self._max_documents} YAML document(s)", event.start_mark)

    def _count(self, values: int, event: pyyaml.Event) -> None:
        self._values += values
        if self._values > self._max_values:
            raise _refused(self._field, f"more than {self._max_values:,} values (aliases count)", event.start_mark)

    def _refuse_tag(self, event: pyyaml.Event, tag: object) -> None:
        if tag is not None and tag != "!":
            raise _refused(self._field, f"tag {str(tag)[:60]!a} is not allowed", event.start_mark)


class _Dumper(pyyaml.CSafeDumper):
    """Quotes all text that any YAML reader might take for something else."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class gives the value
        """Never write anchors: each value stands where it belongs."""
        return True


class _Position(Protocol):
    """Where in the text something stands; the parser's marks come in two classes that share only this."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


class _Representer(Protocol):
    """The part of a dumper that writes a scalar, with the types its stub leaves out."""

    def represent_scalar(self, tag: str, value: str, style: str | None = None) -> pyyaml.ScalarNode: ...


def _represent_text(dumper: pyyaml.CSafeDumper, text: str) -> pyyaml.ScalarNode:
    style = "|" if "\n" in text else None
    if style is None and not isinstance(_scalar(text), str):
        style = "'"
    return cast("_Representer", dumper).represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _merged(closed: _Open) -> dict[str, object]:
    """A mapping with what ``<<`` brings in: its own keys win, then earlier ones of the list."""
    own = cast("dict[str, object]", closed.value)
    found: dict[str, object] = {}
    for merge in closed.merges:
        for source in as_list(merge) or [merge]:
            for key, value in as_dict(source).items():
                found.setdefault(key, value)
    return {**found, **own}


def _scalar(text: str) -> object:
    if text in _NULLS:
        return None
    lowered = text.lower()
    if lowered in _BOOLEANS and text in {lowered, lowered.capitalize(), lowered.upper()}:
        return _BOOLEANS[lowered]
    if lowered in _SPECIAL:
        return _SPECIAL[lowered]
    if len(text) <= _LONGEST_NUMBER and (text[0].isdigit() or text[0] in "+-."):
        return _number(text)
    return text


def _number(text: str) -> object:
    if _INTEGER.fullmatch(text) is not None:
        digits = text.replace("_", "")
        if _OCTAL.fullmatch(digits) is not None:
            return int(digits, 8)
        based = digits.lstrip("+-")[:2].lower() in {"0b", "0o", "0x"}
        try:
            return int(digits, 0) if based else int(digits)
        except ValueError:
            return text
    if _FLOAT.fullmatch(text) is not None:
        try:
            return float(text.replace("_", ""))
        except ValueError:
            return text
    return text


def _key_text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _refused(field: str, why: str, mark: _Position | None) -> InvalidArgument:
    where = f"line {mark.line + 1} column {mark.column + 1}: " if mark else ""
    return InvalidArgument(field, f"YAML {where}{why}")
