"""The index of a chart repository: which charts it holds in which versions.

Format: https://helm.sh/docs/topics/chart_repository/#the-index-file; it may be written as JSON.
"""

from __future__ import annotations

from typing import Final

import msgspec

from cloud_native_mcp.contract.json_values import as_dict, as_list
from cloud_native_mcp.contract.yaml import load_one
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.versions import newest_first, parse_version
from cloud_native_mcp.services.helm.releases.record import ChartMetadata

MOST_BYTES: Final = 64_000_000
_MOST_VALUES: Final = 10_000_000


class Entry(ChartMetadata, gc=False):
    """One version of a chart, with where its archive is."""

    urls: list[str] | None = None
    created: str | None = None
    digest: str | None = None
    removed: bool | None = None


class Index(msgspec.Struct):
    """Charts by name, their versions newest first; ``skipped`` entries are not what the format says."""

    charts: dict[str, list[Entry]]
    skipped: int = 0


def read_index(text: bytes) -> Index:
    """The index in a file; meant for a process of its own, since reading takes about a second a megabyte.

    Raises:
        ToolError: ``not_an_index``.
    """
    content = as_dict(_plain(text))
    if "entries" not in content:
        raise _no_index("it has no entries")
    found, skipped = dict[str, list[Entry]](), 0
    for name, rows in as_dict(content["entries"]).items():
        versions = [_entry(row, name) for row in as_list(rows)]
        kept = {one.version: one for one in reversed(versions) if one is not None and not one.removed}
        skipped += sum(one is None for one in versions)
        if kept:
            found[name] = [kept[version] for version in newest_first(kept)]
    return Index(found, skipped)


def _plain(text: bytes) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return load_one(text.decode(), field="index.yaml", max_values=_MOST_VALUES)
    except (InvalidArgument, UnicodeDecodeError) as error:
        why = error.text if isinstance(error, InvalidArgument) else "it is no text"
        raise _no_index(why) from None


def _entry(row: object, name: str) -> Entry | None:
    try:
        entry = msgspec.convert(row, Entry, strict=False)
    except msgspec.ValidationError:
        return None
    usable = parse_version(entry.version) is not None and entry.name in {"", name}
    return entry if usable else None


def _no_index(why: str) -> ToolError:
    return ToolError("not_an_index", f"index.yaml is no index of charts: {why}", kind="final")
