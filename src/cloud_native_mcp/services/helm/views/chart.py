"""The chart a release was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.json_values import as_str
from cloud_native_mcp.contract.result import Table, Text

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Block
    from cloud_native_mcp.services.helm.releases.record import ChartMetadata


def chart_blocks(metadata: ChartMetadata) -> list[Block]:
    """Facts of the chart, the charts it depends on, and who keeps it."""
    facts = (
        ("name", metadata.name),
        ("version", metadata.version),
        ("app version", metadata.app_version),
        ("description", metadata.description),
        ("type", metadata.type),
        ("kubernetes", metadata.kube_version),
        ("deprecated", "yes" if metadata.deprecated else ""),
        ("home", metadata.home),
        ("sources", ", ".join(metadata.sources or ())),
        ("keywords", ", ".join(metadata.keywords or ())),
        ("annotations", ", ".join(f"{key}={value}" for key, value in (metadata.annotations or {}).items())),
    )
    blocks: list[Block] = [
        Text("\n".join(f"{name}: {value}" for name, value in facts if value), untrusted=True, source="chart")
    ]
    for title, columns, found in (
        ("Dependencies", ("name", "version", "repository", "condition", "alias"), metadata.dependencies),
        ("Maintainers", ("name", "email", "url"), metadata.maintainers),
    ):
        if found:
            rows = [[as_str(one.get(column)) for column in columns] for one in found]
            names = [column.upper() for column in columns]
            blocks.append(Table(names, rows, title=title, untrusted=True, source=title.lower()))
    return blocks
