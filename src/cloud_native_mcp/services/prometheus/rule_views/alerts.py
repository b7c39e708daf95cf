"""Alerts that are pending or firing, and where they are sent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Result, Table
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.prometheus.answers import Alertmanagers, Reply
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.labels import series_text
from cloud_native_mcp.services.prometheus.masking import message
from cloud_native_mcp.services.prometheus.numbers import number, shown
from cloud_native_mcp.services.prometheus.paging import page_of
from cloud_native_mcp.services.prometheus.rule_views.reading import active_alerts, engine_error
from cloud_native_mcp.services.prometheus.target_views.reading import age

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.prometheus.answers import Alert
    from cloud_native_mcp.services.prometheus.rule_views.reading import RuleFilter
    from cloud_native_mcp.services.prometheus.service import Backend

_COLUMNS: Final = ("ALERT", "STATE", "SEVERITY", "SINCE", "VALUE", "LABELS", "SUMMARY")
_SHOWN_APART: Final = ("alertname", "severity")
_RANK: Final = {"firing": 0, "pending": 1}
_SUMMARIES: Final = ("summary", "message", "description")


async def alerts(backend: Backend, deadline: Deadline, wanted: RuleFilter, *, start: int, limit: int) -> Result:
    """Alerts, firing before pending, then the oldest first.

    Raises:
        ToolError: ``rule_engine_absent``.
    """
    found, warnings = await active_alerts(backend, deadline, wanted)
    found.sort(key=lambda alert: (_RANK.get(alert.state, 2), alert.active_at, series_text(alert.labels)))
    counts = Counter(alert.state for alert in found)
    said = ", ".join(f"{counts[state]} {state}" for state in ("firing", "pending"))
    shown_alerts, page = page_of(found, start, limit, narrow="state, name, group or match")
    table = Table(
        _COLUMNS, [_row(alert) for alert in shown_alerts], untrusted=True, source=f"prometheus {backend.name} alerts"
    )
    return Result(
        header=f"{backend.name}: alerts{wanted.describe()}: {said}",
        blocks=[table] if shown_alerts else [],
        page=page,
        notes=[] if found or not wanted.describe() else ["view=rules shows whether such a rule exists"],
        partial=[f"{backend.name}: {text}" for text in warnings],
    )


async def alertmanagers(backend: Backend, deadline: Deadline) -> Result:
    """The Alertmanagers that alerts are sent to, and those that relabelling dropped.

    Raises:
        ToolError: ``rule_engine_absent``.
    """
    asked = Asked("Alertmanagers", alternative="it sends no alerts itself")
    try:
        reply = await backend.client.get("/alertmanagers", Reply[Alertmanagers], asked, deadline=deadline)
    except BackendError as error:
        raise engine_error(error) from error
    data = reply.data or Alertmanagers()
    rows = [[message(one.url), "active"] for one in data.active_alertmanagers or []]
    rows += [[message(one.url), "dropped"] for one in data.dropped_alertmanagers or []]
    header = f"{backend.name}: {len(data.active_alertmanagers or [])} Alertmanagers in use"
    return Result(header=header, blocks=[Table(["URL", "STATE"], rows)] if rows else [])


def _row(alert: Alert) -> list[Cell]:
    others = series_text(alert.labels, without=_SHOWN_APART)
    annotations = alert.annotations or {}
    summary = next((annotations[name] for name in _SUMMARIES if annotations.get(name)), "")
    return [
        alert.labels.get("alertname", ""),
        alert.state,
        alert.labels.get("severity"),
        age(alert.active_at),
        shown(number(alert.value)),
        others if others != "{}" else None,
        message(summary) or None,
    ]
