"""`prometheus_rules`: alerts, rules, rule groups and Alertmanagers."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.call import Call
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.expressions import Search
from cloud_native_mcp.services.prometheus.paging import resumed
from cloud_native_mcp.services.prometheus.rule_views.alerts import alertmanagers, alerts
from cloud_native_mcp.services.prometheus.rule_views.reading import RuleFilter
from cloud_native_mcp.services.prometheus.rule_views.rules import rule_groups
from cloud_native_mcp.services.prometheus.rule_views.rules import rules as rule_list
from cloud_native_mcp.services.prometheus.selectors import parse_selector
from cloud_native_mcp.services.prometheus.service import PrometheusService

_FILTERS = ("type", "state", "name", "group", "match", "unhealthy_only")
OWN_ERRORS = {
    "rule_engine_absent": "this backend evaluates no rules (an agent, or Mimir without ruler)",
    "bad_selector": "a selector is malformed",
}


class RulesArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of `prometheus_rules`."""

    view: Annotated[Literal["alerts", "rules", "groups", "alertmanagers"], Meta(description="What to show")] = "alerts"
    type: Annotated[Literal["alert", "record"] | UnsetType, Meta(description="Kind of rule")] = UNSET
    state: Annotated[
        Literal["firing", "pending", "inactive", "unknown"] | UnsetType, Meta(description="Alert state")
    ] = UNSET
    name: Annotated[str | UnsetType, Meta(description="Rule name, substring or regex", extra=FREE_TEXT)] = UNSET
    group: Annotated[str | UnsetType, Meta(description="Exact group name")] = UNSET
    match: Annotated[list[str] | UnsetType, Meta(description="Label selectors the rule or alert must match")] = UNSET
    unhealthy_only: Annotated[bool, Meta(description="Only rules whose evaluation fails")] = False
    limit: Annotated[int, Meta(description="Rows at most", ge=1, le=500)] = 50
    cursor: Annotated[str | UnsetType, Meta(description="From the previous answer's next_cursor")] = UNSET


@tool(
    "rules",
    args=RulesArgs,
    effect=Effect.READ,
    toolset="core",
    untrusted=True,
    description=(
        "Alerting and recording rules with state and health, the alerts now pending or firing, or the Alertmanagers in "
        "use. Start here for 'what is firing and why'."
    ),
    own_errors=OWN_ERRORS,
)
async def rules(call: Call[PrometheusService], args: RulesArgs) -> Result:
    """Show rules or alerts in the asked view."""
    _check_fit(call, args)
    backend = call.service.backend(call.target)
    if args.view == "alertmanagers":
        return await alertmanagers(backend, call.deadline)
    start = resumed(call, args.cursor)
    view = {"alerts": alerts, "rules": rule_list, "groups": rule_groups}[args.view]
    return await view(backend, call.deadline, _filter(args), start=start, limit=args.limit)


def _check_fit(call: Call[PrometheusService], args: RulesArgs) -> None:
    """Refuse arguments that would be ignored or leave nothing."""
    refused = {"alertmanagers": (*_FILTERS, "limit", "cursor"), "alerts": ("unhealthy_only",)}.get(args.view, ())
    for name in refused:
        if name in call.given:
            raise InvalidArgument(name, f"does not apply to view={args.view}; use view=rules")
    if args.view != "alerts":
        return
    if args.type == "record":
        raise InvalidArgument("type", "recording rules have no alerts; use view=rules")
    if args.state in {"inactive", "unknown"}:
        raise InvalidArgument("state", "alerts are firing or pending; use view=rules for the others")


def _filter(args: RulesArgs) -> RuleFilter:
    match = args.match if isinstance(args.match, list) else []
    return RuleFilter(
        type=args.type if isinstance(args.type, str) else "",
        state=args.state if isinstance(args.state, str) else "",
        name=Search(args.name, field="name") if isinstance(args.name, str) and args.name else None,
        group=args.group if isinstance(args.group, str) else "",
        match=[parse_selector(text, field="match") for text in match],
        match_text=match,
        unhealthy_only=args.unhealthy_only,
    )


TOOLS = (rules,)
