"""``kubernetes_top``: CPU, memory and disk use against requests, limits and capacity.

API: https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.namespaces import missing_namespaces, namespace_words
from cloud_native_mcp.backends.kubernetes.selectors import check_label_selector
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Budget, Page, Result, Table
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.kubelet import UNREACHABLE, UNREACHABLE_MEANING
from cloud_native_mcp.services.kubernetes.resource_use.nodes import node_records, nodes_view
from cloud_native_mcp.services.kubernetes.resource_use.quotas import quotas_view
from cloud_native_mcp.services.kubernetes.resource_use.rows import RULES, Row, Show, SortBy, View
from cloud_native_mcp.services.kubernetes.resource_use.samples import UNAVAILABLE
from cloud_native_mcp.services.kubernetes.resource_use.summaries import node_stats_view, summaries_of
from cloud_native_mcp.services.kubernetes.resource_use.views import (
    SUGGESTED,
    containers_view,
    measure,
    namespaces_view,
    pods_view,
    workloads_view,
)
from cloud_native_mcp.services.kubernetes.resource_use.volumes import volumes_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

By = Literal["pods", "containers", "workloads", "namespaces", "nodes", "volumes", "quotas", "node_stats"]
_OF_NODES: Final = frozenset({"nodes", "node_stats"})
_ONE: Final = {
    "pods": "pod",
    "containers": "pod or container",
    "workloads": "workload",
    "namespaces": "namespace",
    "nodes": "node",
    "volumes": "claim",
    "quotas": "quota",
    "node_stats": "node",
}


class TopArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_top``."""

    by: Annotated[By, Meta(description="What each row is")] = "pods"
    namespace: Annotated[str, Meta(description="Namespace; omit for all")] | UnsetType = UNSET
    name: Annotated[str, Meta(description="One object")] | UnsetType = UNSET
    label_selector: Annotated[str, Meta(description="e.g. app=web")] | UnsetType = UNSET
    show: Annotated[Show, Meta(description="Keep only rows like these")] = "all"
    sort_by: Annotated[SortBy, Meta(description="Descending")] = "memory"
    limit: Annotated[int, Meta(ge=1, le=300, description="Rows per answer")] = 30
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@tool(
    "top",
    args=TopArgs,
    effect=Effect.READ,
    toolset="core",
    budget=Budget(usual=12_000),
    description=(
        "CPU, memory and disk use against requests, limits and capacity, by pod, container, workload, namespace, node, "
        "volume or quota. Finds idle, overprovisioned or near-limit ones."
    ),
    own_errors={
        UNAVAILABLE: "not an error: without metrics API the rest is given, and use is -",
        UNREACHABLE: UNREACHABLE_MEANING,
    },
)
async def top(call: Call[KubernetesService], args: TopArgs) -> Result:
    """Use of resources, sorted and paged here: the metrics API does neither."""
    query = _query(args)
    offset = as_int(call.cursors.open(args.cursor).get("offset")) if args.cursor else 0
    client = call.service.client(call.target)
    view = await _view(client, args, query, call.deadline)
    named = [row for row in view.rows if _is_named(row, args)]
    if args.name and not named:
        raise await _not_found(call, args, view)
    rows = _sorted([row for row in named if args.show == "all" or args.show in row.fits], view, args, call.given)
    total = len(rows)
    page = Page.at_offset(offset, total, narrow="namespace, label_selector or show")
    tables = [Table(view.columns, [row.cells() for row in rows[offset : offset + args.limit]])] if rows else []
    return Result(
        header=_header(client, args),
        blocks=[*tables, *([] if offset or not view.more else view.more)],
        page=page,
        notes=[*await _notes(call, args, rows), *view.notes],
        partial=view.partial,
    )


TOOLS = (top,)


def _query(args: TopArgs) -> ListQuery:
    """What is asked of the API server; nothing has been sent yet.

    Raises:
        InvalidArgument: names the argument and the rule it breaks.
    """
    if args.namespace is not UNSET and args.by in _OF_NODES:
        raise InvalidArgument("namespace", "nodes are in no namespace; leave it out")
    if args.name is not UNSET:
        check_name(args.name)
    return ListQuery(
        namespace=check_namespace(args.namespace) if args.namespace is not UNSET else None,
        label_selector=check_label_selector(args.label_selector) if args.label_selector is not UNSET else "",
    )


async def _view(client: KubernetesClient, args: TopArgs, query: ListQuery, deadline: Deadline) -> View:
    """All rows there are, before they are chosen and sorted."""
    match args.by:
        case "nodes":
            return await nodes_view(client, query.label_selector, deadline=deadline)
        case "node_stats":
            return await _node_stats(client, args, query, deadline)
        case "volumes":
            return await volumes_view(client, query, deadline=deadline)
        case "quotas":
            return await quotas_view(client, query, deadline=deadline)
        case _:
            return await _of_pods(client, args, query, deadline)


async def _of_pods(client: KubernetesClient, args: TopArgs, query: ListQuery, deadline: Deadline) -> View:
    # Shares are of everything, so all namespaces are read for one of them.
    scope = ListQuery(label_selector=query.label_selector) if args.by == "namespaces" else query
    measured = await measure(client, scope, deadline=deadline)
    suggest, across = args.show in SUGGESTED, query.namespace is None
    match args.by:
        case "containers":
            return await containers_view(measured, across=across, suggest=suggest)
        case "workloads":
            return await workloads_view(client, measured, query.namespace, suggest=suggest, deadline=deadline)
        case "namespaces":
            return await namespaces_view(measured, query.namespace)
        case _:
            return await pods_view(measured, across=across, suggest=suggest)


async def _node_stats(client: KubernetesClient, args: TopArgs, query: ListQuery, deadline: Deadline) -> View:
    nodes = await client.discovery.find("", "v1", "Node", deadline=deadline)
    if nodes is None:
        raise ToolError("unsupported", f"cluster {client.name} serves no nodes")
    known = [node.name for node in await node_records(client, query.label_selector, deadline=deadline)]
    names = [name for name in known if not args.name or name == args.name]
    if args.name and not names:
        raise _missing(args, known, client.name)
    return node_stats_view(await summaries_of(client, nodes, names, deadline=deadline))


def _is_named(row: Row, args: TopArgs) -> bool:
    if not args.name:
        return True
    return args.name in row.name.split("/") if args.by == "containers" else row.name == args.name


def _sorted(rows: list[Row], view: View, args: TopArgs, given: frozenset[str]) -> Sequence[Row]:
    """Rows in the order asked for, or in the view's own.

    Raises:
        InvalidArgument: the view has no such number, or cannot tell such rows.
    """
    if args.show != "all" and args.show not in view.shows:
        known = ", ".join(sorted(view.shows)) or "none"
        raise InvalidArgument("show", f"{args.show} cannot be told of {args.by}; possible: all, {known}")
    by = args.sort_by if "sort_by" in given else view.sorts[0]
    rows.sort(key=lambda row: row.name)
    if by == "name":
        return rows
    if by not in view.sorts:
        known = ", ".join([*(sort for sort in view.sorts if sort in get_args(SortBy)), "name"])
        raise InvalidArgument("sort_by", f"{by} is not known of {args.by}; possible: {known}")
    rows.sort(key=lambda row: value if (value := row.order.get(by)) is not None else -1.0, reverse=True)
    return rows


async def _not_found(call: Call[KubernetesService], args: TopArgs, view: View) -> BackendError:
    if lines := await missing_namespaces(call, args.namespace or None):
        return BackendError("not_found", lines[0], kind="fix", status=404)
    parts = (row.name.split("/") if args.by == "containers" else [row.name] for row in view.rows)
    return _missing(args, [part for names in parts for part in names], call.target)


def _missing(args: TopArgs, known: Sequence[str], target: str) -> BackendError:
    near = nearest(args.name or "", known)
    hint = f"; near: {', '.join(near)}" if near else ""
    where = f" in namespace {args.namespace}" if args.namespace else ""
    text = f"no {_ONE[args.by]} {args.name}{where} on {target} that is not finished{hint}"
    return BackendError("not_found", text, kind="fix", status=404)


async def _notes(call: Call[KubernetesService], args: TopArgs, rows: Sequence[Row]) -> list[str]:
    notes = [] if args.show == "all" else [f"{args.show}: {RULES[args.show]}"]
    if not rows:
        notes += ["no such row" if args.show != "all" else "nothing found"]
        notes += await missing_namespaces(call, args.namespace or None)
    return notes


def _header(client: KubernetesClient, args: TopArgs) -> str:
    """What was asked, where, as of when."""
    where = "" if args.by in _OF_NODES else f" in {namespace_words(args.namespace or None, [client])}"
    filters = "".join(
        f", {name} {value!a}" for name, value in (("name", args.name), ("labels", args.label_selector)) if value
    )
    shown = "" if args.show == "all" else f", {args.show}"
    now = rfc3339(datetime.now(UTC).replace(microsecond=0))
    return f"use by {args.by}{where}{filters}{shown} on {client.name}, {now}"
