"""What policy engines found: reports of Kyverno and others, and the constraints of Gatekeeper.

Source: https://github.com/kubernetes-sigs/wg-policy-prototypes/tree/master/policy-report, https://openreports.io/,
https://open-policy-agent.github.io/gatekeeper/website/docs/audit/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_native_mcp.services.kubernetes.reading import Reader
    from cloud_native_mcp.services.kubernetes.severity import Severity

GATEKEEPER: Final = "constraints.gatekeeper.sh"
_SEVERITIES: Final[Mapping[str, Severity]] = {"fail": "warning", "error": "warning", "warn": "info"}
_GRAVE: Final = frozenset({"critical", "high"})
_FIX: Final = "change the object so that the policy passes"


class _Target(msgspec.Struct, gc=False):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class _Outcome(msgspec.Struct, gc=False):
    policy: str = ""
    rule: str = ""
    result: str = ""
    severity: str = ""
    message: str = ""
    description: str = ""
    resources: list[_Target] | None = None


class Report(msgspec.Struct, gc=False):
    """A report of either group, of a namespace or of the cluster."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    scope: _Target | None = None
    results: list[_Outcome] | None = None


class _Violation(msgspec.Struct, gc=False, rename="camel"):
    kind: str = ""
    name: str = ""
    namespace: str = ""
    message: str = ""
    enforcement_action: str = ""


class _ConstraintStatus(msgspec.Struct, gc=False, rename="camel"):
    total_violations: int = 0
    violations: list[_Violation] | None = None


class Constraint(msgspec.Struct, gc=False):
    """A constraint of any kind, with what its audit found (20 by default; the total is told)."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _ConstraintStatus = msgspec.field(default_factory=_ConstraintStatus)


_REPORTS: Final = (
    Kind("wgpolicyk8s.io", "PolicyReport", Report),
    Kind("openreports.io", "Report", Report),
    Kind("wgpolicyk8s.io", "ClusterPolicyReport", Report),
    Kind("openreports.io", "ClusterReport", Report),
)


async def policy_reports(reader: Reader) -> list[Finding]:
    """Failed results, each once.

    Raises:
        ToolError: ``unsupported`` when no policy engine reports here.
    """
    # Engines bring their kinds at any time, and what is not known would be silently left out.
    await reader.client.discovery.refreshed(reader.deadline)
    constraints = await _constraints(reader)
    kinds = [kind for kind in _REPORTS if await reader.serves(kind.group, kind.kind)]
    if not kinds and not constraints:
        text = f"cluster {reader.client.name} has no policy reports and no Gatekeeper constraints"
        raise ToolError("unsupported", text)
    found: dict[tuple[str, str, str], Finding] = {}
    for _, reports in await reader.any_of(kinds, "policy_reports"):
        async for report in unhurried(reports):
            found |= {(one.rule, one.object, one.why): one for one in _of_report(report, reader)}
    for kind, some in await reader.any_of(constraints, "policy_reports"):
        async for constraint in unhurried(some):
            found |= {(one.rule, one.object, one.why): one for one in _of_constraint(kind, constraint, reader)}
    return list(found.values())


async def _constraints(reader: Reader) -> list[Kind[Constraint]]:
    """The kinds that Gatekeeper's templates made, each in the version the cluster prefers."""
    catalogue = await reader.client.discovery.catalogue(reader.deadline)
    names = dict.fromkeys(one.kind for one in catalogue.resources if one.group == GATEKEEPER)
    return [Kind(GATEKEEPER, name, Constraint) for name in names]


def _of_report(report: Report, reader: Reader) -> Iterator[Finding]:
    for outcome in report.results or ():
        severity = _severity(outcome)
        if severity is None:
            continue
        rule = f"{outcome.policy}/{outcome.rule}" if outcome.rule else outcome.policy
        why = outcome.message or outcome.description or f"result {outcome.result}"
        for target in outcome.resources or ([report.scope] if report.scope else [_Target()]):
            space = target.namespace or report.metadata.namespace
            if reader.shown(space) and (reader.namespace is None or space):
                where = named(
                    target.kind or "Namespace", space if target.kind else "", target.name or space or "cluster"
                )
                yield Finding(severity, "policy_reports", rule, where, why, _FIX)


def _severity(outcome: _Outcome) -> Severity | None:
    """How bad a result is; None for what passed or was skipped."""
    known = _SEVERITIES.get(outcome.result)
    if outcome.result == "fail" and outcome.severity in _GRAVE:
        return "critical"
    return "info" if known and outcome.severity in {"low", "info"} else known


def _of_constraint(kind: str, constraint: Constraint, reader: Reader) -> Iterator[Finding]:
    status = constraint.status
    told = status.violations or ()
    rule = f"{kind}/{constraint.metadata.name}"
    for violation in told:
        if reader.shown(violation.namespace) and (reader.namespace is None or violation.namespace):
            where = named(violation.kind, violation.namespace, violation.name)
            severity: Severity = "warning" if violation.enforcement_action in {"", "deny"} else "info"
            yield Finding(severity, "policy_reports", rule, where, violation.message, _FIX)
    if status.total_violations > len(told):
        reader.notes.append(f"policy_reports: {rule} tells {len(told)} of {status.total_violations} violations")
