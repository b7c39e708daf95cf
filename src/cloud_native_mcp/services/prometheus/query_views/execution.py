"""Running a query, and what every answer of a query has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from cloud_native_mcp.contract.result import Page, Result, Text
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.failures import one_line
from cloud_native_mcp.services.prometheus.numbers import parameter, span_shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Block
    from cloud_native_mcp.services.prometheus.catalogue import Catalogue
    from cloud_native_mcp.services.prometheus.client import Params, QueryAnswer
    from cloud_native_mcp.services.prometheus.ranges import Grid
    from cloud_native_mcp.services.prometheus.service import Backend

_ABSENT: Final = "is the configured address one of a Prometheus API?"
_SHOWN_QUERY: Final = 120
_ANSWER_SECONDS: Final = 1.0
"""Time left for the answer to arrive after the backend gave up evaluating."""
NARROW: Final = "limit, label matchers, or an aggregation such as sum by (…) or topk(n, …)"


@dataclass(frozen=True, slots=True)
class Execution:
    """A query on a backend, with its limits."""

    backend: Backend
    query: str
    limit: int
    deadline: Deadline
    catalogue: Catalogue
    timeout: timedelta | None = None

    @property
    def asked(self) -> Asked:
        """The query for error texts."""
        query = " ".join(self.query.split())
        shown = query if len(query) <= _SHOWN_QUERY else f"{query[:_SHOWN_QUERY]}…"
        return Asked(f"query {shown}", bad_data="bad_query", alternative=_ABSENT)

    async def at(self, when: datetime) -> QueryAnswer:
        """The value at one instant."""
        return await self._run("/query", [("time", parameter(when))])

    async def over(self, grid: Grid) -> QueryAnswer:
        """The values over a range."""
        times = [("start", parameter(grid.start)), ("end", parameter(grid.end))]
        return await self._run("/query_range", [*times, ("step", f"{grid.step.total_seconds():.3f}")])

    async def _run(self, path: str, times: Params) -> QueryAnswer:
        """Run it; the backend is told to give up before the call's deadline."""
        within = self.deadline
        seconds = max(0.1, within.remaining - _ANSWER_SECONDS)
        if self.timeout is not None:
            seconds = min(seconds, self.timeout.total_seconds())
            within = within.sooner(seconds + _ANSWER_SECONDS)
        params = [("query", self.query), *times, ("timeout", f"{seconds:.3f}")]
        return await self.backend.client.query(path, self.asked, deadline=within, params=params, keep=self.limit)


def result(
    execution: Execution,
    answer: QueryAnswer,
    *,
    header: str,
    blocks: Sequence[Block],
    notes: Sequence[str] = (),
    span: Grid | None = None,
    per_series: bool = False,
) -> Result:
    """The answer of a query: the backend's warnings first, then the blocks, then how to get less and where to look.

    ``per_series`` says that a row is a series, so that rows shown and series found can be told together.
    """
    said = [f"warning: {one_line(text)}" for text in answer.warnings if text.startswith("PromQL")]
    said += [f"info: {one_line(text)}" for text in answer.infos]
    partial = [
        f"{execution.backend.name}: {one_line(text)}" for text in answer.warnings if not text.startswith("PromQL")
    ]
    first: list[Block] = [Text("\n".join(said))] if said else []
    return Result(
        header=f"{execution.backend.name}: {header}",
        blocks=[*first, *blocks],
        page=Page(resume=None, total=answer.total, at_least=answer.more, narrow=NARROW) if per_series else None,
        notes=[*_cut_note(execution, answer), *notes, *_link(execution, span)],
        partial=partial,
        facts={"kind": answer.kind, "total": answer.total, "at_least": answer.more},
    )


def counted(answer: QueryAnswer) -> str:
    """How many series are shown, of how many."""
    shown = len(answer.series)
    if answer.more:
        return f"{shown} of at least {answer.total} series"
    return f"{shown} of {answer.total} series" if shown != answer.total else f"{shown} series"


def _cut_note(execution: Execution, answer: QueryAnswer) -> list[str]:
    if answer.total <= len(answer.series):
        return []
    limit = execution.limit
    return [
        f"the first {limit} series in the backend's order: sorted are only these; topk({limit}, …) gives the largest"
    ]


def _link(execution: Execution, span: Grid | None) -> list[str]:
    """A link to the backend's page for people."""
    base = execution.backend.public_url
    if not base:
        return []
    fields = {"g0.expr": execution.query, "g0.tab": "1"}
    if span is not None:
        length = span_shown(span.end - span.start)
        fields |= {"g0.tab": "0", "g0.range_input": length, "g0.end_input": rfc3339(span.end)}
    return [f"{base}/graph?{urlencode(fields)}"]
