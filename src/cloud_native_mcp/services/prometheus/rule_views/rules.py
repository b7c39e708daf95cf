"""Alerting and recording rules, and the groups they are evaluated in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.result import Result, Table
from cloud_native_mcp.services.prometheus.masking import message
from cloud_native_mcp.services.prometheus.numbers import seconds_shown
from cloud_native_mcp.services.prometheus.paging import page_of
from cloud_native_mcp.services.prometheus.rule_views.reading import groups
from cloud_native_mcp.services.prometheus.target_views.reading import age

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.prometheus.answers import Rule, RuleGroup
    from cloud_native_mcp.services.prometheus.rule_views.reading import RuleFilter
    from cloud_native_mcp.services.prometheus.service import Backend

_RULE_COLUMNS: Final = ("RULE", "TYPE", "STATE", "HEALTH", "FOR", "TOOK", "EVALUATED", "EXPRESSION", "ERROR")
_GROUP_COLUMNS: Final = ("GROUP", "FILE", "EVERY", "RULES", "FIRING", "FAILING", "TOOK", "EVALUATED", "LAG")
_EXPRESSION: Final = 200
_STATES: Final = ("firing", "pending", "inactive", "unknown")
_NARROW: Final = "type, state, name, group, match or unhealthy_only"


async def rules(backend: Backend, deadline: Deadline, wanted: RuleFilter, *, start: int, limit: int) -> Result:
    """Rules one by one, in the order they are evaluated.

    Raises:
        ToolError: ``rule_engine_absent``.
    """
    found = await groups(backend, deadline, wanted)
    listed = [rule for group in found.groups for rule in group.rules or []]
    shown, page = page_of(listed, start, limit, narrow=_NARROW)
    table = Table(
        _RULE_COLUMNS, [_rule_row(rule) for rule in shown], untrusted=True, source=f"prometheus {backend.name} rules"
    )
    return Result(
        header=f"{backend.name}: {number_of(len(listed), 'rule')}{wanted.describe()}: {_counts(listed)}",
        blocks=[table] if shown else [],
        page=page,
        partial=[f"{backend.name}: {text}" for text in found.warnings],
    )


async def rule_groups(backend: Backend, deadline: Deadline, wanted: RuleFilter, *, start: int, limit: int) -> Result:
    """Groups with how many of their rules fire or fail, and whether evaluating them takes longer than their interval.

    Raises:
        ToolError: ``rule_engine_absent``.
    """
    found = await groups(backend, deadline, wanted)
    listed = [rule for group in found.groups for rule in group.rules or []]
    shown, page = page_of(found.groups, start, limit, narrow=_NARROW)
    counts = (number_of(len(found.groups), "group"), number_of(len(listed), "rule"))
    return Result(
        header=f"{backend.name}: {counts[0]}{wanted.describe()}, {counts[1]}: {_counts(listed)}",
        blocks=[Table(_GROUP_COLUMNS, [_group_row(group) for group in shown])] if shown else [],
        page=page,
        partial=[f"{backend.name}: {text}" for text in found.warnings],
    )


def _counts(listed: list[Rule]) -> str:
    states = Counter(rule.state for rule in listed if rule.state)
    said = [f"{states[state]} {state}" for state in _STATES if states[state] or state != "unknown"]
    recording = sum(1 for rule in listed if rule.type == "recording")
    failing = sum(1 for rule in listed if rule.health == "err")
    return ", ".join([*said, f"{recording} recording", f"{failing} failing"])


def _rule_row(rule: Rule) -> list[Cell]:
    expression = " ".join(rule.query.split())
    over = len(expression) - _EXPRESSION
    return [
        rule.name,
        "alert" if rule.type == "alerting" else "record",
        rule.state or None,
        rule.health,
        seconds_shown(rule.duration) if rule.duration else None,
        seconds_shown(rule.evaluation_time),
        age(rule.last_evaluation),
        expression if over <= 0 else f"{expression[:_EXPRESSION]}…(+{over})",
        message(rule.last_error) or None,
    ]


def _group_row(group: RuleGroup) -> list[Cell]:
    listed = group.rules or []
    late = group.interval > 0 and group.evaluation_time > group.interval
    return [
        group.name,
        group.file.rpartition("/")[2],
        seconds_shown(group.interval),
        len(listed),
        sum(1 for rule in listed if rule.state == "firing"),
        sum(1 for rule in listed if rule.health == "err"),
        seconds_shown(group.evaluation_time),
        age(group.last_evaluation),
        "longer than the interval" if late else None,
    ]
