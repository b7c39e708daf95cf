"""Values as a caller gives them, and names among them that the chart does not know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.contract.json_values import as_dict, as_str
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.yaml import load_one
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.archive import Archive, read_archive
from cloud_native_mcp.services.helm.releases.record import ChartMetadata
from cloud_native_mcp.services.helm.releases.values import merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_BYTES: Final = 256_000
_MOST_TOLD: Final = 10
_DEPTH: Final = 12
_GLOBAL: Final = "global"


def parse_values(text: str, *, field: str = "values") -> dict[str, object]:
    """The values of a YAML text.

    Raises:
        InvalidArgument: malformed, too long, or no mapping (code ``values_invalid`` for the latter).
    """
    if len(text.encode()) > MOST_BYTES:
        raise InvalidArgument(field, f"is larger than {MOST_BYTES // 1_000} kB")
    value = load_one(text, field=field)
    if value is None:
        return {}
    values = as_dict(value)
    if not values and value != {}:
        raise InvalidArgument(field, "must be a YAML mapping, such as `replicas: 2`", code="values_invalid")
    return values


def unknown_notes(archive: Archive, given: Mapping[str, object]) -> list[str]:
    """A line for each given value that neither the defaults, the schema nor a template of the chart knows.

    A chart whose values are no strict YAML is not judged: Helm may take it all the same.
    """
    templates = [content for path, content in archive.files.items() if "templates/" in path]
    text = b"\n".join(templates).decode("utf-8", "replace")
    try:
        defaults = defaults_of(archive)
    except InvalidArgument:
        return []
    found = list(_unknown(given, defaults, _schema(archive), text, path="", depth=0))
    more = len(found) - _MOST_TOLD
    return [*found[:_MOST_TOLD], *([f"… and {more} more values that the chart does not know"] if more > 0 else [])]


def defaults_of(archive: Archive, *, depth: int = 0) -> dict[str, object]:
    """The chart's own values, with those of the charts in it under their names.

    Raises:
        InvalidArgument: its ``values.yaml`` is malformed.
    """
    own = as_dict(load_one(archive.text("values.yaml") or "", field="values.yaml"))
    if depth > 3:
        return own
    for name, inner in _included(archive).items():
        own[name] = merged(defaults_of(inner, depth=depth + 1), as_dict(own.get(name)))
    return own


def _included(archive: Archive) -> dict[str, Archive]:
    """The charts in an archive, by the names under which their values stand."""
    folders: dict[str, dict[str, bytes]] = {}
    found: list[Archive] = []
    for path, content in archive.files.items():
        parts = path.split("/", 2)
        if parts[0] == "charts" and len(parts) == 3:
            folders.setdefault(parts[1], {})[parts[2]] = content
        elif parts[0] == "charts" and path.endswith(".tgz"):
            found += _readable(content)
    for files in folders.values():
        if "Chart.yaml" in files:
            metadata = as_dict(load_one(files["Chart.yaml"].decode("utf-8", "replace"), field="Chart.yaml"))
            found.append(Archive(ChartMetadata(name=as_str(metadata.get("name"))), files, b""))
    aliases = {
        as_str(one.get("name")): as_str(one.get("alias")) or as_str(one.get("name"))
        for one in archive.metadata.dependencies or ()
    }
    return {aliases.get(one.metadata.name, one.metadata.name): one for one in found}


def _readable(packed: bytes) -> list[Archive]:
    try:
        return [read_archive(packed)]
    except ToolError:
        return []


def _unknown(
    given: Mapping[str, object],
    known: Mapping[str, object],
    schema: Mapping[str, object],
    templates: str,
    *,
    path: str,
    depth: int,
) -> Iterator[str]:
    described = as_dict(schema.get("properties"))
    if not (known or described) or depth > _DEPTH:
        return  # a free mapping, such as annotations
    for name, value in given.items():
        where = f"{path}.{name}" if path else name
        if name in known or name in described:
            below = as_dict(known.get(name))
            yield from _unknown(
                as_dict(value), below, as_dict(described.get(name)), templates, path=where, depth=depth + 1
            )
        elif name != _GLOBAL and not re.search(rf"\.{re.escape(name)}\b|\"{re.escape(name)}\"", templates):
            near = nearest(name, [*known, *described])
            hint = f"; near: {', '.join(near)}" if near else ""
            yield f"values: the chart knows no {where}{hint}"


def _schema(archive: Archive) -> dict[str, object]:
    try:
        return as_dict(msgspec.json.decode(archive.text("values.schema.json") or "{}"))
    except msgspec.DecodeError:
        return {}
