"""A query over a range of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.result import Text
from cloud_native_mcp.services.prometheus.query_views.absence import explain_absence
from cloud_native_mcp.services.prometheus.query_views.execution import counted, result
from cloud_native_mcp.services.prometheus.query_views.samples import points
from cloud_native_mcp.services.prometheus.query_views.summary import summaries

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Block, Result
    from cloud_native_mcp.services.prometheus.query_views.execution import Execution
    from cloud_native_mcp.services.prometheus.ranges import Grid


async def evaluate(execution: Execution, grid: Grid, *, points_size: int | None) -> Result:
    """Run the query over the grid.

    Args:
        points_size: bytes for the points when they are wanted, None for a summary per series.

    Raises:
        ToolError: ``no_data`` when a selector of the query finds nothing in the range.
    """
    answer = await execution.over(grid)
    where = f"range {grid.describe()}"
    if not answer.series:
        note = await explain_absence(execution, grid.start, grid.end, step=grid.step)
        header = f"{where}, no series"
        return result(execution, answer, header=header, blocks=[Text(note)], notes=grid.notes(), span=grid)
    header = f"{where}, at most {grid.points} points each, {counted(answer)}"
    blocks: list[Block] = []
    notes: list[str] = []
    if points_size is None:
        blocks = summaries(answer.series, grid)
        header = f"{header}, largest last first"
    else:
        blocks, notes = points(answer.series, grid, size=points_size)
    return result(
        execution,
        answer,
        header=header,
        blocks=blocks,
        notes=[*notes, *grid.notes()],
        span=grid,
        per_series=points_size is None,
    )
