"""The tables of a list: rows of one kind together, CLUSTER first where several clusters were asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.result import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.kubernetes.listing.sources import Source


class Tables:
    """Gathers rows in order; rows that follow each other under the same columns become one table.

    Args:
        sources: all that answer; with several kinds each table names its own.
        several_clusters: whether more than one was asked, so that each row names its own.
    """

    def __init__(self, sources: Sequence[Source], *, several_clusters: bool) -> None:
        self._clusters = several_clusters
        self._kinds = len({source.resource.display for source in sources}) > 1
        self.tables: list[Table] = []

    def add(self, source: Source, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, untrusted: bool) -> None:
        """Rows of one source; ``untrusted`` when they hold text that others wrote."""
        if not rows:
            return
        columns = tuple(columns)
        if self._clusters:
            columns, rows = ("CLUSTER", *columns), [(source.client.name, *row) for row in rows]
        title = source.resource.display if self._kinds else ""
        last = self.tables[-1] if self.tables else None
        if last and (last.title, last.columns, last.untrusted) == (title, columns, untrusted):
            rows = [*self.tables.pop().rows, *rows]
        words = source.resource.display if self._clusters else source.words
        self.tables.append(Table(columns, rows, title=title, untrusted=untrusted, source=words))
