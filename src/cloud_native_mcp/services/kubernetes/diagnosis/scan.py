"""A look at a whole namespace or cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.fanout import ask_targets
from cloud_native_mcp.backends.kubernetes.namespaces import asked_namespaces, missing_namespace
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Block, Page, Result, Table
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.kubernetes.diagnosis.areas import NAMES, look, of_cluster
from cloud_native_mcp.services.kubernetes.diagnosis.finding import COLUMNS, on_target, ranked
from cloud_native_mcp.services.kubernetes.diagnosis.storage import full_volumes
from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
from cloud_native_mcp.services.kubernetes.reading import Reader
from cloud_native_mcp.services.kubernetes.severity import RANK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.diagnosis.finding import Area, Finding
    from cloud_native_mcp.services.kubernetes.service import KubernetesService
    from cloud_native_mcp.services.kubernetes.severity import Severity

FILL_NOTE: Final = "how full volumes are was not asked of the kubelets; checks=storage does"


@dataclass(frozen=True, slots=True)
class Scan:
    """What a caller wants to see.

    Attributes:
        namespace: one, or all (None).
        checks: the areas asked for; empty for all.
    """

    namespace: str | None
    checks: Sequence[Area]
    since: datetime
    now: datetime
    least: Severity
    limit: int
    cursor: str

    @property
    def areas(self) -> list[Area]:
        """The areas that are looked at: those of the cluster only when no namespace was named."""
        wanted: list[Area] = [area for area in NAMES if not self.checks or area in self.checks]
        return [area for area in wanted if self.namespace is None or not of_cluster(area)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found in one cluster, and what could not be looked at."""

    findings: Sequence[Finding]
    notes: Sequence[str]
    gaps: Sequence[str]


async def scan(call: Call[KubernetesService], wanted: Scan) -> Result:
    """The findings of a namespace or of all, made anew for each page: what a cluster is like is kept nowhere.

    Raises:
        BackendError: ``not_found``: there is no such namespace.
    """
    offset = as_int(call.cursors.open(wanted.cursor).get("offset")) if wanted.cursor else 0
    asked = await ask_targets(call, lambda client: _of_cluster(call, client, wanted))
    several = len(call.service.targets) > 1
    rows = [
        (target, on_target(one, target) if several else one) for target, seen in asked.answers for one in seen.findings
    ]
    rows.sort(key=lambda row: (row[1].order, row[0]))
    shown = [row for row in rows if RANK[row[1].severity] <= RANK[wanted.least]]
    columns = ("CLUSTER", *COLUMNS) if asked.several else COLUMNS
    cells = [
        (target, *one.cells(wanted.now)) if asked.several else one.cells(wanted.now)
        for target, one in shown[offset : offset + wanted.limit]
    ]
    blocks: list[Block] = [Table(columns, cells, untrusted=True, source="findings")] if cells else []
    where = asked_namespaces(wanted.namespace, call.service, call.targets)
    when = rfc3339(wanted.now.replace(microsecond=0))
    count = number_of(len(shown), "finding")
    return Result(
        header=f"{count} of {wanted.least} or worse in {where} on {', '.join(call.targets)}, {when}",
        blocks=blocks,
        page=Page.at_offset(offset, len(shown), narrow="checks, namespace or min_severity"),
        notes=[*_notes(wanted, len(rows) - len(shown)), *(note for _, seen in asked.answers for note in seen.notes)],
        partial=[*asked.failed, *(gap for _, seen in asked.answers for gap in seen.gaps)],
    )


async def _of_cluster(call: Call[KubernetesService], client: KubernetesClient, wanted: Scan) -> _Seen:
    if wanted.namespace and (line := await missing_namespace(client, wanted.namespace, deadline=call.deadline)):
        raise BackendError("not_found", line, kind="fix", status=404)
    reader = Reader(
        client,
        wanted.namespace,
        include_system=True,
        now=wanted.now,
        deadline=call.deadline,
        watched=call.service.watched,
    )
    survey = Survey(reader, wanted.since, wanted.areas)
    found, failed = await look(survey, wanted.areas)
    if "storage" in wanted.checks:
        found += await full_volumes(survey)
    mark = f"{client.name}: " if len(call.targets) > 1 else ""
    notes = [f"{mark}{note}" for note in reader.notes]
    return _Seen(ranked(found), notes, [f"{mark}{gap}" for gap in (*failed, *reader.gaps)])


def _notes(wanted: Scan, hidden: int) -> list[str]:
    notes = [f"looked at {', '.join(wanted.areas) or 'nothing'}"]
    if hidden:
        notes.append(f"not shown: {number_of(hidden, 'finding')} below {wanted.least}; see min_severity")
    if wanted.namespace:
        left = [area for area in NAMES if of_cluster(area) and (not wanted.checks or area in wanted.checks)]
        if left:
            notes.append(f"{', '.join(left)}: belong to the whole cluster; leave out namespace to look at them")
    if "storage" in wanted.areas and "storage" not in wanted.checks:
        notes.append(FILL_NOTE)
    return notes
