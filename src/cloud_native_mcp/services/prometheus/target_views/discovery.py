"""What service discovery found: dropped targets, pools, and how relabelling treats a target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.contract.json_values import as_list, as_str
from cloud_native_mcp.contract.result import Result, Table
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.prometheus.answers import (
    DiscoveredTarget,
    DroppedCounts,
    RelabelStep,
    RelabelSteps,
    Reply,
    ScrapePools,
)
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.failures import PrometheusError
from cloud_native_mcp.services.prometheus.masking import label_value, masked_labels
from cloud_native_mcp.services.prometheus.paging import page_of
from cloud_native_mcp.services.prometheus.target_views.reading import discovered_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.prometheus.service import Backend

_KIND: Final = re.compile(r"__meta_([a-z0-9]+)_")
_POOLS: Final = Asked("scrape pools", alternative="they came with Prometheus 2.42; use view=summary")
_STEPS: Final = Asked(
    "relabelling steps", alternative="this version does not compute them; see prometheus_status view=config"
)
_STEP_COLUMNS: Final = ("STEP", "ACTION", "SOURCE", "REGEX", "TARGET", "REPLACEMENT", "CHANGED", "KEPT")


async def dropped(backend: Backend, deadline: Deadline, *, pool: str, search: str, start: int, limit: int) -> Result:
    """Targets that relabelling dropped: address, job and kind of discovery."""
    found, frame = await discovered_targets(
        backend, deadline, pool=pool, state="dropped", wanted=lambda target: _has(target, search)
    )
    shown, page = page_of(found, start, limit, narrow="pool or search")
    rows = [_dropped_row(target) for target in shown]
    counts = msgspec.json.decode(frame, type=Reply[DroppedCounts]).data
    by_pool = (counts.dropped_target_counts if counts else None) or {}
    total = sum(count for name, count in by_pool.items() if not pool or name == pool)
    filters = ", ".join(f"{name} {value!a}" for name, value in (("pool", pool), ("search", search)) if value)
    header = f"{backend.name}: {len(found)} dropped targets known{f' with {filters}' if filters else ''}"
    notes: list[str] = []
    if total > len(found) and not search:
        notes.append(f"{total} were dropped; the server keeps only some of them (keep_dropped_targets)")
    blocks = [Table(["POOL", "ADDRESS", "JOB", "DISCOVERED BY"], rows)] if rows else []
    return Result(header=header, blocks=blocks, page=page, notes=notes)


async def pools(backend: Backend, deadline: Deadline, *, search: str, start: int, limit: int) -> Result:
    """Names of the scrape pools, those without targets too."""
    names = await _pool_names(backend, deadline)
    wanted = [name for name in names if search.casefold() in name.casefold()]
    shown, page = page_of(wanted, start, limit, narrow="search")
    header = f"{backend.name}: {len(wanted)} scrape pools"
    return Result(header=header, blocks=[Table(["POOL"], [[name] for name in shown])] if shown else [], page=page)


async def relabel(backend: Backend, deadline: Deadline, *, pool: str, search: str) -> Result:
    """The relabelling rules of a pool applied step by step to the first of its targets that the search finds.

    Raises:
        ToolError: ``not_found`` (no such pool, with near names, or no such target).
    """
    found, _ = await discovered_targets(
        backend, deadline, pool=pool, state="any", wanted=lambda target: _has(target, search)
    )
    if not found:
        raise await _no_target(backend, deadline, pool, search)
    labels = found[0].discovered_labels or {}
    params = [("scrapePool", pool), ("labels", msgspec.json.encode(labels).decode())]
    try:
        reply = await backend.client.get(
            "/targets/relabel_steps", Reply[RelabelSteps], _STEPS, deadline=deadline, params=params
        )
    except PrometheusError as error:
        if "not found" not in error.said:
            raise
        raise await _no_target(backend, deadline, pool, search) from error
    steps = (reply.data.steps if reply.data else None) or []
    rows = _step_rows(labels, steps)
    fate = "kept" if all(step.keep for step in steps) else "dropped"
    address = label_value("__address__", labels.get("__address__", ""))
    header = f"{backend.name}: relabelling of {address} in pool {pool}: {len(steps)} steps, {fate}"
    more = len(found) - 1
    notes = [f"{more} more targets of the pool match; narrow with search"] if more else []
    blocks = [Table(_STEP_COLUMNS, rows)] if rows else []
    return Result(header=header, blocks=blocks, notes=notes)


async def check_pool(backend: Backend, deadline: Deadline, pool: str) -> None:
    """Make sure that a pool exists: the server answers an unknown one with an empty list. Before 2.42 it cannot tell.

    Raises:
        ToolError: ``not_found`` with near names.
    """
    try:
        names = await _pool_names(backend, deadline)
    except BackendError as error:
        if error.code != "unsupported":
            raise
        return
    if pool not in names:
        raise _no_pool(backend, pool, names)


async def _pool_names(backend: Backend, deadline: Deadline) -> list[str]:
    reply = await backend.client.get("/scrape_pools", Reply[ScrapePools], _POOLS, deadline=deadline)
    return sorted((reply.data.scrape_pools if reply.data else None) or [])


async def _no_target(backend: Backend, deadline: Deadline, pool: str, search: str) -> ToolError:
    names = await _pool_names(backend, deadline)
    if pool not in names:
        return _no_pool(backend, pool, names)
    what = f"pool {pool!a} has no target{f' with search {search!a}' if search else ''}"
    return ToolError("not_found", f"prometheus target {backend.name}: {what}")


def _no_pool(backend: Backend, pool: str, names: Sequence[str]) -> ToolError:
    near = nearest(pool, names) or names[:5]
    hint = f"; pools: {', '.join(near)}" if near else ""
    return ToolError("not_found", f"prometheus target {backend.name}: no scrape pool {pool!a}{hint}")


def _has(target: DiscoveredTarget, search: str) -> bool:
    wanted = search.casefold()
    return not wanted or any(wanted in value.casefold() for value in (target.discovered_labels or {}).values())


def _dropped_row(target: DiscoveredTarget) -> list[Cell]:
    labels = target.discovered_labels or {}
    kinds = {match[1] for name in labels if (match := _KIND.match(name)) is not None}
    address = label_value("__address__", labels.get("__address__", ""))
    return [target.scrape_pool or None, address, labels.get("job"), ", ".join(sorted(kinds)) or "static"]


def _step_rows(labels: dict[str, str], steps: list[RelabelStep]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    before = masked_labels(labels)
    for at, step in enumerate(steps, start=1):
        after = masked_labels(step.output or {})
        rule = step.rule
        rows.append(
            [
                at,
                as_str(rule.get("action"), "replace"),
                ",".join(as_str(name) for name in as_list(rule.get("source_labels"))) or None,
                as_str(rule.get("regex")) or None,
                as_str(rule.get("target_label")) or None,
                as_str(rule.get("replacement")) or None,
                _changes(before, after) if step.keep else "dropped",
                step.keep,
            ]
        )
        before = after
    return rows


def _changes(before: dict[str, str], after: dict[str, str]) -> str | None:
    said = [f"{name}={value}" for name, value in sorted(after.items()) if before.get(name) != value]
    said += [f"-{name}" for name in sorted(before.keys() - after.keys())]
    return " ".join(said) or None
