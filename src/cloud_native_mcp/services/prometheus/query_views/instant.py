"""The value of a query at one instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.result import Table, Text
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.services.prometheus.labels import series_text, shared
from cloud_native_mcp.services.prometheus.numbers import descending, number
from cloud_native_mcp.services.prometheus.query_views.absence import explain_absence
from cloud_native_mcp.services.prometheus.query_views.execution import counted, result
from cloud_native_mcp.services.prometheus.query_views.native import histogram_table
from cloud_native_mcp.services.prometheus.query_views.samples import raw_samples

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_native_mcp.contract.result import Block, Result
    from cloud_native_mcp.services.prometheus.client import QueryAnswer
    from cloud_native_mcp.services.prometheus.query_views.execution import Execution


async def evaluate(execution: Execution, when: datetime, *, points: bool) -> Result:
    """Run the query at an instant; a range vector (``up[5m]``) is summarised, or listed when ``points`` are wanted.

    Raises:
        ToolError: ``no_data`` when a selector of the query finds nothing.
    """
    answer = await execution.at(when)
    at = rfc3339(when)
    if answer.single is not None:
        return result(execution, answer, header=f"{answer.kind} at {at}", blocks=[Text(answer.single[1])])
    if not answer.series:
        note = await explain_absence(execution, when, when, step=None)
        return result(execution, answer, header=f"{answer.kind} at {at}, no series", blocks=[Text(note)])
    header = f"{answer.kind} at {at}, {counted(answer)}"
    if answer.kind == "matrix":
        return result(
            execution, answer, header=header, blocks=raw_samples(answer.series, points=points), per_series=not points
        )
    return result(execution, answer, header=f"{header}, largest value first", blocks=_vector(answer), per_series=True)


def _vector(answer: QueryAnswer) -> list[Block]:
    common = shared([one.metric for one in answer.series])
    title = f"all have {series_text(common)}" if common else ""
    plain = [(one, one.value[1]) for one in answer.series if one.value is not None]
    plain.sort(key=lambda pair: (descending(number(pair[1])), series_text(pair[0].metric)))
    blocks: list[Block] = []
    if plain:
        rows = [[series_text(one.metric, without=common), value] for one, value in plain]
        blocks.append(Table(columns=["SERIES", "VALUE"], rows=rows, title=title))
    histograms = histogram_table(answer.series, without=common, title="" if plain else title)
    return [*blocks, histograms] if histograms is not None else blocks
