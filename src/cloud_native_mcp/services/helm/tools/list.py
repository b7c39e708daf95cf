"""``helm_list``: the newest revision of each release, or how many there are of what.

Storage: https://helm.sh/docs/topics/advanced/#storage-backends
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.fanout import ask_targets
from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.backends.kubernetes.namespaces import asked_namespaces, missing_namespaces
from cloud_native_mcp.backends.kubernetes.selectors import check_label_selector
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Block, Budget, Cell, Page, Result, Table
from cloud_native_mcp.contract.times import format_age, parse_instant, rfc3339
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.releases.storage import newest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.releases.record import Brief, Record
    from cloud_native_mcp.services.helm.service import HelmService

DAY: Final = timedelta(days=1)
Status = Literal["all", "deployed", "failed", "pending", "uninstalled", "broken"]


class ListArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_list``."""

    namespace: Annotated[str, Meta(description="Namespace; omit for all")] | UnsetType = UNSET
    status: Annotated[Status, Meta(description="broken = failed, pending over 10 min, or stuck")] = "all"
    query: Annotated[str, Meta(description="Text in release name", extra=FREE_TEXT)] | UnsetType = UNSET
    chart: Annotated[str, Meta(description="Chart name, or name-version prefix")] | UnsetType = UNSET
    label_selector: Annotated[str, Meta(description="Custom release labels")] | UnsetType = UNSET
    since: Annotated[str, Meta(description="Changed within: 1h, 2d")] | UnsetType = UNSET
    view: Annotated[Literal["table", "counts"], Meta(description="Rows or totals")] = "table"
    sort_by: Annotated[Literal["namespace", "name", "updated", "status"], Meta(description="Order")] = "namespace"
    limit: Annotated[int, Meta(ge=1, le=300, description="Rows per answer")] = 50
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _Found:
    """A release that passed the filters.

    ``serving`` is the older revision that is still deployed, when the newest is not; ``brief`` is read late.
    """

    client: KubernetesClient
    record: Record
    serving: int | None
    brief: Brief | ToolError | None = None


@tool(
    "list",
    args=ListArgs,
    effect=Effect.READ,
    toolset="core",
    all_targets=True,
    untrusted=True,
    budget=Budget(usual=12_000),
    description=(
        "List Helm releases (latest revision each) with status, chart and age; filter by status, chart, name, label or "
        "recent change; or count them."
    ),
)
async def list_releases(call: Call[HelmService], args: ListArgs) -> Result:
    """The releases of one namespace or of all, of one cluster or of all."""
    now = datetime.now(UTC)
    keep = _filter(args, now)
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else None
    selector = check_label_selector(args.label_selector) if args.label_selector else ""
    offset = as_int(call.cursors.open(args.cursor).get("offset")) if args.cursor else 0
    asked = await ask_targets(call, lambda client: _releases(call, client, namespace, selector, keep))
    found = [one for _, part in asked.answers for one in part]
    if args.chart or args.view == "counts":
        found = await _with_briefs(call, found)
    if args.chart:
        found = [one for one in found if _of_chart(one, args.chart)]
    total = len(found)
    where = asked_namespaces(namespace, call.service, call.targets)
    header = (
        f"{number_of(total, 'release')} in {where} on {', '.join(call.targets)}, {rfc3339(now.replace(microsecond=0))}"
    )
    notes = [] if found else await missing_namespaces(call, namespace)
    if args.view == "counts":
        return Result(header=header, blocks=_counts(found, now), notes=notes, partial=asked.failed)
    found.sort(key=_ORDERS[args.sort_by])
    shown = await _with_briefs(call, found[offset : offset + args.limit])
    return Result(
        header=header,
        blocks=[_table(shown, several=asked.several)] if shown else [],
        page=Page.at_offset(offset, total, narrow="namespace, status, query or since"),
        notes=notes,
        partial=asked.failed,
    )


TOOLS = (list_releases,)

_ORDERS: Final[Mapping[str, Callable[[_Found], tuple[object, ...]]]] = {
    "namespace": lambda one: (one.record.namespace, one.record.name, one.client.name),
    "name": lambda one: (one.record.name, one.record.namespace, one.client.name),
    "updated": lambda one: (-one.record.created.timestamp(), one.record.namespace, one.record.name),
    "status": lambda one: (one.record.status == "deployed", one.record.status, one.record.namespace, one.record.name),
}


def _filter(args: ListArgs, now: datetime) -> Callable[[Record], bool]:
    """Whether a release is wanted, as far as its labels tell."""
    since = parse_instant(args.since, field="since", now=now) if args.since else None
    if since is not None and since > now:
        raise InvalidArgument("since", "lies in the future")
    text = (args.query or "").lower()

    def wanted(record: Record) -> bool:
        return (since is None or record.created >= since) and text in record.name and _has_status(record, args.status)

    return wanted


def _has_status(record: Record, status: Status) -> bool:
    match status:
        case "all":
            return True
        case "broken":
            return record.broken
        case "pending":
            return record.pending
        case _:
            return record.status == status


async def _releases(
    call: Call[HelmService],
    client: KubernetesClient,
    namespace: str | None,
    selector: str,
    keep: Callable[[Record], bool],
) -> list[_Found]:
    storage = call.service.storage
    records = await storage.records(client, namespace, deadline=call.deadline)
    if selector:
        # The labels of a release are those of its newest revision, so all are read to know which one that is.
        chosen = await storage.records(client, namespace, selector=selector, deadline=call.deadline)
        identities = {record.uid for record in chosen}
        latest = [record for record in newest(records) if record.uid in identities]
    else:
        latest = newest(records)
    serving = {(r.namespace, r.name): r.revision for r in records if r.status == "deployed"}
    return [
        _Found(client, record, None if record.status == "deployed" else serving.get((record.namespace, record.name)))
        for record in latest
        if keep(record)
    ]


async def _with_briefs(call: Call[HelmService], found: Sequence[_Found]) -> list[_Found]:
    """The releases with what their bodies tell, read cluster by cluster."""
    briefs: dict[tuple[str, tuple[str, str]], Brief | ToolError] = {}
    for client in {one.client.name: one.client for one in found if one.brief is None}.values():
        records = [one.record for one in found if one.client is client]
        read = await call.service.storage.briefs(client, records, deadline=call.deadline)
        briefs |= {(client.name, identity): brief for identity, brief in read.items()}
    return [
        _Found(one.client, one.record, one.serving, one.brief or briefs[one.client.name, one.record.identity])
        for one in found
    ]


def _of_chart(one: _Found, text: str) -> bool:
    """Whether the release is of a chart of that name, or its ``name-version`` begins so."""
    if one.brief is None or isinstance(one.brief, ToolError):
        return False
    label = one.brief.chart_label
    return one.brief.chart.metadata.name == text or (label.startswith(text) and "-" in text)


def _table(shown: Sequence[_Found], *, several: bool) -> Table:
    columns = ["NAMESPACE", "NAME", "REV", "STATUS", "UPDATED", "CHART", "APP VERSION"]
    described = any(one.record.status != "deployed" or isinstance(one.brief, ToolError) for one in shown)
    rows: list[list[Cell]] = []
    for one in shown:
        record = one.record
        row: list[Cell] = [record.namespace, record.name, record.revision, record.status, format_age(record.age)]
        if one.brief is None or isinstance(one.brief, ToolError):
            row += ["?", "?"]
        else:
            row += [one.brief.chart_label, one.brief.chart.metadata.app_version or ""]
        if described:
            row.append(_description(one))
        rows.append([one.client.name, *row] if several else row)
    if described:
        columns.append("DESCRIPTION")
    return Table(["CLUSTER", *columns] if several else columns, rows, untrusted=True, source="releases")


def _description(one: _Found) -> str:
    """What went wrong or goes on, and what serves meanwhile."""
    if isinstance(one.brief, ToolError):
        return f"{one.brief.code}: {one.brief.text}"
    if one.record.status == "deployed" or one.brief is None:
        return ""
    serving = f"; revision {one.serving} is still deployed" if one.serving is not None else ""
    late = "; under way for longer than an operation takes" if one.record.pending and one.record.broken else ""
    return f"{one.brief.info.description}{serving}{late}"


def _counts(found: Sequence[_Found], now: datetime) -> list[Block]:
    by_status = Counter(one.record.status for one in found)
    by_namespace = Counter(one.record.namespace for one in found)
    by_chart = Counter(
        one.brief.chart.metadata.name if one.brief and not isinstance(one.brief, ToolError) else "?" for one in found
    )
    changed = sum(now - one.record.created <= DAY for one in found)
    totals: list[tuple[str, int]] = [
        ("broken", sum(one.record.broken for one in found)),
        ("changed within 24 h", changed),
    ]
    tables = (("STATUS", by_status), ("NAMESPACE", by_namespace), ("CHART", by_chart))
    return [
        Table(("WHAT", "RELEASES"), totals),
        *(
            Table((name, "RELEASES"), counter.most_common(), untrusted=True, source="releases")
            for name, counter in tables
            if counter
        ),
    ]
