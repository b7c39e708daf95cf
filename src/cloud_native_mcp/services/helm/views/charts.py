"""What ``helm_chart`` lists: charts of repositories or of Artifact Hub, versions, and the repositories themselves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.result import Page, Result, Table
from cloud_native_mcp.contract.times import age, format_age
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.catalogue import chosen
from cloud_native_mcp.services.helm.charts.hub import MOST_ROWS
from cloud_native_mcp.services.helm.charts.versions import parse_range, parse_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.response.expressions import Search
    from cloud_native_mcp.services.helm.charts.catalogue import Catalogue, Wanted
    from cloud_native_mcp.services.helm.charts.index import Entry
    from cloud_native_mcp.services.helm.charts.repository import Repository
    from cloud_native_mcp.services.helm.service import HelmService

_LONGEST_DESCRIPTION: Final = 200
_NOT_LISTED: Final = "is a registry: its charts cannot be listed, name one with chart"


@dataclass(frozen=True, slots=True)
class Hit:
    """A chart of a repository in the version that was asked for; ``rank`` is lower for a better match."""

    rank: int
    repository: Repository
    name: str
    entry: Entry

    @property
    def row(self) -> tuple[str, ...]:
        """As the table shows it; its first cell can be given as ``chart``."""
        return f"{self.repository.label}/{self.name}", *_told(self.entry)


async def search_repositories(
    call: Call[HelmService],
    query: Search | None,
    *,
    repo: str | None,
    version: str,
    devel: bool,
    limit: int,
    offset: int,
) -> Result:
    """Charts of one repository, or of all that have an index.

    Raises:
        ToolError: as `Indexes.get`, when one repository is named.
    """
    parse_range(version)
    charts = call.service.charts
    known = [await charts.repositories.find(repo)] if repo is not None else await charts.repositories.all()
    if repo is not None and known[0].is_registry:
        raise InvalidArgument("repo", f"{known[0].label} {_NOT_LISTED}")
    asked = [one for one in known if not one.is_registry]
    found = await together(*(_hits(charts, one, query, version, devel=devel, deadline=call.deadline) for one in asked))
    failed = [one for one in found if isinstance(one, ToolError)]
    if failed and (repo is not None or len(failed) == len(asked)):
        raise failed[0]
    hits = sorted(
        (hit for one in found if not isinstance(one, ToolError) for hit in one),
        key=lambda hit: (hit.rank, hit.name, hit.repository.label),
    )
    notes = [f"{one.name} {_NOT_LISTED}" for one in known if one.is_registry]
    if not known:
        notes.append("no repository is configured; give repo an https:// address, or source=hub where that is allowed")
    where = known[0].label if repo is not None else "all repositories"
    return Result(
        header=f"{number_of(len(hits), 'chart')} in {where}",
        blocks=_table("CHART", [hit.row for hit in hits[offset : offset + limit]]),
        page=Page.at_offset(offset, len(hits), narrow="query or repo"),
        notes=notes,
        partial=[f"{error.code}: {error.text}" for error in failed],
    )


async def search_hub(call: Call[HelmService], query: str, *, limit: int, offset: int) -> Result:
    """Charts on Artifact Hub.

    Raises:
        ToolError: ``denied_by_policy`` where the operator does not allow it; as `Hub.search`.
    """
    if call.service.hub is None:
        text = "searching Artifact Hub is switched off here; the operator can set helm.charts.hub"
        raise ToolError("denied_by_policy", text)
    page = await call.service.hub.search(query, limit=limit, offset=offset, deadline=call.deadline)
    rows = [
        (one.name, one.version, one.app_version, _described(one.description, one.deprecated), one.repository.url)
        for one in page.packages or ()
    ]
    table = Table(("CHART", "VERSION", "APP VERSION", "DESCRIPTION", "REPO"), rows, untrusted=True, source="charts")
    notes = [f"at most {MOST_ROWS} rows an answer come from there"] if limit > MOST_ROWS else []
    return Result(
        header=f"{number_of(page.total, 'chart')} on Artifact Hub",
        blocks=[table] if rows else [],
        page=Page.at_offset(offset, page.total, narrow="query"),
        notes=notes,
    )


async def list_versions(
    call: Call[HelmService], wanted: Wanted, version: str, *, devel: bool, limit: int, offset: int
) -> Result:
    """Versions of a chart in a range, newest first."""
    within = parse_range(version)
    entries = await call.service.charts.versions(wanted, deadline=call.deadline)
    parsed = ((entry, parse_version(entry.version)) for entry in entries)
    kept = [entry for entry, known in parsed if known is not None and within.takes(known, devel=devel)]
    rows = [
        (one.version, one.app_version or "", f"{age(one.created)} ago" if one.created else "", _mark(one.deprecated))
        for one in kept[offset : offset + limit]
    ]
    left = len(entries) - len(kept)
    table = Table(("VERSION", "APP VERSION", "CREATED", "DEPRECATED"), rows, untrusted=True, source="versions")
    note = f"{left} left out: pre-releases come with devel=true, others with another version range"
    return Result(
        header=f"{number_of(len(kept), 'version')} of {wanted.label}",
        blocks=[table] if rows else [],
        page=Page.at_offset(offset, len(kept), narrow="version"),
        notes=[note] if left else [],
    )


async def list_repositories(call: Call[HelmService]) -> Result:
    """The repositories of this server, with what is known of them without asking."""
    charts = call.service.charts
    known = await charts.repositories.all()
    rows: list[tuple[Cell, ...]] = []
    for one in known:
        kept = charts.indexes.known(one)
        count = "" if one.is_registry else len(kept.index.charts) if kept else "not read"
        since = format_age(timedelta(seconds=time.monotonic() - kept.at)) if kept else ""
        failure = charts.indexes.errors.get(one.name, "")
        rows.append((one.name, one.url, count, since, failure, _mark(one.added)))
    table = Table(("NAME", "URL", "CHARTS", "INDEX AGE", "LAST ERROR", "ADDED"), rows, untrusted=True, source="repos")
    notes = ["the list is fixed by the configuration"] if charts.repositories.fixed else []
    return Result(header="chart repositories and registries", blocks=[table] if rows else [], notes=notes)


async def _hits(
    charts: Catalogue, repository: Repository, query: Search | None, version: str, *, devel: bool, deadline: Deadline
) -> list[Hit] | ToolError:
    try:
        kept = await charts.indexes.get(repository, deadline=deadline)
    except ToolError as error:
        return error
    found: list[Hit] = []
    for name, entries in kept.index.charts.items():
        entry = chosen(entries, version, devel=devel)
        rank = _rank(query, name, entry) if entry is not None else None
        if entry is not None and rank is not None:
            found.append(Hit(rank, repository, name, entry))
    return found


def _rank(query: Search | None, name: str, entry: Entry) -> int | None:
    """How well a chart matches: 0 by its very name, 1 by a part of it, 2 by its other words; None for not."""
    if query is None or name.casefold() == query.text.casefold():
        return 0
    if query.finds(name):
        return 1
    words = (entry.description or "", *(entry.keywords or ()))
    return 2 if any(map(query.finds, words)) else None


def _table(first: str, rows: Sequence[tuple[str, ...]]) -> list[Table]:
    columns = (first, "VERSION", "APP VERSION", "DESCRIPTION")
    return [Table(columns, rows, untrusted=True, source="charts")] if rows else []


def _told(entry: Entry) -> tuple[str, str, str]:
    return entry.version, entry.app_version or "", _described(entry.description or "", entry.deprecated)


def _described(text: str, deprecated: bool | None) -> str:  # noqa: FBT001 - as the formats name it
    words = f"deprecated: {text}" if deprecated else text
    return words if len(words) <= _LONGEST_DESCRIPTION else f"{words[:_LONGEST_DESCRIPTION]}…"


def _mark(deprecated: bool | None) -> str:  # noqa: FBT001
    return "yes" if deprecated else ""
