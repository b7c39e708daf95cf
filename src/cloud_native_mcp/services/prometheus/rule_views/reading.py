"""Reading rules and alerts, and the filters applied to them here (a server ignores the ones it does not know)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.prometheus.answers import Alert, Alerts, Reply, Rules
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.failures import PrometheusError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.response.expressions import Search
    from cloud_native_mcp.services.prometheus.answers import Rule, RuleGroup
    from cloud_native_mcp.services.prometheus.client import Params
    from cloud_native_mcp.services.prometheus.selectors import Selector
    from cloud_native_mcp.services.prometheus.service import Backend

_GROUPS_AT_ONCE: Final = 200
_MOST_PAGES: Final = 100
_NO_ENGINE: Final = "it evaluates no rules; ask the server or ruler that does"
_ASKED: Final = Asked("rules", alternative=_NO_ENGINE)
_TYPES: Final = {"alerting": "alert", "recording": "record"}


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """Which rules and alerts are wanted; empty means all."""

    type: str = ""
    state: str = ""
    name: Search | None = None
    group: str = ""
    match: Sequence[Selector] = ()
    match_text: Sequence[str] = ()
    unhealthy_only: bool = False

    def wants_rule(self, rule: Rule) -> bool:
        """Whether a rule is wanted."""
        fits = not self.type or _TYPES.get(rule.type, rule.type) == self.type
        fits = fits and (not self.state or rule.state == self.state)
        fits = fits and (self.name is None or self.name.finds(rule.name))
        fits = fits and (not self.unhealthy_only or rule.health == "err")
        return fits and self._matches(rule.labels or {})

    def wants_alert(self, alert: Alert) -> bool:
        """Whether an alert is wanted."""
        fits = not self.state or alert.state == self.state
        fits = fits and (self.name is None or self.name.finds(alert.labels.get("alertname", "")))
        return fits and self._matches(alert.labels)

    def describe(self) -> str:
        """The filters in words."""
        said = [f"{name} {value!a}" for name, value in self._given() if value]
        said += [f"matching {' or '.join(self.match_text)}"] if self.match_text else []
        said += ["unhealthy only"] if self.unhealthy_only else []
        return f" with {', '.join(said)}" if said else ""

    def _given(self) -> list[tuple[str, str]]:
        name = self.name.text if self.name else ""
        return [("type", self.type), ("state", self.state), ("name", name), ("group", self.group)]

    def _matches(self, labels: dict[str, str]) -> bool:
        return not self.match or any(selector.accepts(labels) for selector in self.match)


@dataclass(slots=True)
class Groups:
    """Rule groups with the rules that are wanted, and the backend's warnings."""

    groups: list[RuleGroup] = field(default_factory=list["RuleGroup"])
    warnings: list[str] = field(default_factory=list[str])


async def groups(backend: Backend, deadline: Deadline, wanted: RuleFilter, *, alerts: bool = False) -> Groups:
    """All groups that hold a wanted rule, in the order file, group; read in pages where the backend pages.

    Raises:
        ToolError: ``rule_engine_absent``; ``expired_cursor`` when the groups kept changing while they were read.
    """
    with_alerts: Params = [] if alerts else [("exclude_alerts", "true")]
    filters: Params = [
        *([("type", wanted.type)] if wanted.type else []),
        *([("rule_group[]", wanted.group)] if wanted.group else []),
        *(("match[]", text) for text in wanted.match_text),
        *with_alerts,
    ]
    try:
        return await _all_pages(backend, deadline, wanted, filters)
    except PrometheusError as error:
        if "group_next_token" not in error.said:
            raise engine_error(error) from error
    try:
        return await _all_pages(backend, deadline, wanted, filters)
    except PrometheusError as error:
        if "group_next_token" not in error.said:
            raise engine_error(error) from error
        text = f"prometheus target {backend.name}: the rule groups changed while they were read; ask again"
        raise ToolError("expired_cursor", text) from error


async def active_alerts(backend: Backend, deadline: Deadline, wanted: RuleFilter) -> tuple[list[Alert], list[str]]:
    """Pending and firing alerts that are wanted, and the backend's warnings.

    Raises:
        ToolError: ``rule_engine_absent``.
    """
    if wanted.group:
        found = await groups(backend, deadline, RuleFilter(type="alert", group=wanted.group), alerts=True)
        rules = [rule for group in found.groups for rule in group.rules or []]
        listed = [alert for rule in rules for alert in rule.alerts or []]
        return [alert for alert in listed if wanted.wants_alert(alert)], found.warnings
    asked = Asked("alerts", alternative=_NO_ENGINE)
    try:
        reply = await backend.client.get("/alerts", Reply[Alerts], asked, deadline=deadline)
    except BackendError as error:
        raise engine_error(error) from error
    listed = (reply.data.alerts if reply.data else None) or []
    return [alert for alert in listed if wanted.wants_alert(alert)], _warnings(reply)


def engine_error(error: BackendError) -> ToolError:
    """``rule_engine_absent`` in place of ``unsupported``; other errors as they are."""
    if error.code != "unsupported":
        return error
    return ToolError("rule_engine_absent", error.text, kind="final")


async def _all_pages(backend: Backend, deadline: Deadline, wanted: RuleFilter, filters: Params) -> Groups:
    found = Groups()
    token = ""
    for _ in range(_MOST_PAGES):
        place: Params = [("group_limit", str(_GROUPS_AT_ONCE)), *([("group_next_token", token)] if token else [])]
        reply = await backend.client.get("/rules", Reply[Rules], _ASKED, deadline=deadline, params=[*filters, *place])
        found.warnings += [text for text in _warnings(reply) if text not in found.warnings]
        data = reply.data or Rules()
        for group in data.groups or []:
            group.rules = [rule for rule in group.rules or [] if wanted.wants_rule(rule)]
            if group.rules and (not wanted.group or group.name == wanted.group):
                found.groups.append(group)
        token = data.group_next_token
        if not token:
            break
    found.groups.sort(key=lambda group: (group.file, group.name))
    return found


def _warnings(reply: Reply[Rules] | Reply[Alerts]) -> list[str]:
    return [one_line(text) for text in [*(reply.warnings or []), *(reply.infos or [])]]
