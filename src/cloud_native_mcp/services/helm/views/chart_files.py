"""Files of a chart: the readme, its values with their comments, the schema, its templates, its dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.json_values import as_str
from cloud_native_mcp.contract.result import Page, Result, Table, Text
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.pieces import piece
from cloud_native_mcp.services.helm.charts.values_text import part_of

if TYPE_CHECKING:
    from cloud_native_mcp.services.helm.charts.archive import Archive

ROOM: Final = 12_000
"""Bytes of a file in one answer."""


def text_page(header: str, text: str, offset: int, *, source: str) -> Result:
    """A piece of a text and the cursor to the next one.

    Raises:
        InvalidArgument: the cursor is of a longer text.
    """
    if offset > len(text):
        raise InvalidArgument("cursor", "the text is shorter now; ask without cursor", code="expired_cursor")
    part = piece(text, offset, ROOM)
    if part.next is not None or offset:
        header = f"{header}, characters {offset + 1:,} to {offset + len(part.text):,} of {len(text):,}"
    return Result(
        header=header,
        blocks=[Text(part.text, untrusted=True, source=source)],
        page=Page(resume=lambda _: {"offset": part.next}) if part.next is not None else None,
    )


def values_text(archive: Archive, path: str) -> str:
    """The default values as they are written, or the part under a dotted path, with the comments in and above it.

    Raises:
        InvalidArgument: there is nothing under that path; the names that are there are told.
    """
    text = archive.text("values.yaml") or ""
    return part_of(text, path) if path else text


def template_text(archive: Archive, path: str) -> str:
    """A file of the chart.

    Raises:
        InvalidArgument: there is none of that path; near ones are told.
    """
    text = archive.text(path)
    if text is None:
        near = nearest(path, archive.files) or archive.templates[:20]
        raise InvalidArgument(
            "path", f"the chart has no file {path[:100]!a}; near: {', '.join(near)}", code="not_found"
        )
    return text


def template_list(header: str, archive: Archive, *, limit: int, offset: int) -> Result:
    """The templates and definitions of kinds, with their sizes."""
    paths = archive.templates
    rows = [(path, len(archive.files[path])) for path in paths[offset : offset + limit]]
    return Result(
        header=f"{header}: {number_of(len(paths), 'file')}; path shows one",
        blocks=[Table(("FILE", "BYTES"), rows, untrusted=True, source="files")] if rows else [],
        page=Page.at_offset(offset, len(paths), narrow="path"),
    )


def dependency_table(header: str, archive: Archive) -> Result:
    """The charts it depends on, and whether they lie in the archive."""
    rows = [
        (
            as_str(one.get("name")),
            as_str(one.get("version")),
            as_str(one.get("repository")),
            as_str(one.get("condition")),
            as_str(one.get("alias")),
            "yes" if _lies_in(archive, as_str(one.get("name"))) else "no",
        )
        for one in archive.metadata.dependencies or ()
    ]
    columns = ("NAME", "VERSION", "REPOSITORY", "CONDITION", "ALIAS", "INCLUDED")
    return Result(
        header=header,
        blocks=[Table(columns, rows, untrusted=True, source="dependencies")] if rows else [],
        notes=[] if rows else ["the chart depends on no other"],
    )


def _lies_in(archive: Archive, name: str) -> bool:
    return any(one == name or one.startswith(f"{name}-") for one in archive.vendored)
