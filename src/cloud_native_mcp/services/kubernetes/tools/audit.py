"""``kubernetes_audit``: risky or wasteful set-up.

API: https://kubernetes.io/docs/concepts/security/security-checklist/
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.backends.kubernetes.namespaces import asked_namespaces, missing_namespace
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Block, Page, Result, Table, Text
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.kubernetes.auditing.checks import NAMES, run_checks
from cloud_native_mcp.services.kubernetes.auditing.finding import COLUMNS, Check
from cloud_native_mcp.services.kubernetes.reading import Reader
from cloud_native_mcp.services.kubernetes.severity import RANK, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.auditing.finding import Finding
    from cloud_native_mcp.services.kubernetes.service import KubernetesService


class AuditArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_audit``."""

    namespace: Annotated[str, Meta(description="Namespace; omit for all")] | UnsetType = UNSET
    checks: Annotated[list[Check], Meta(description="Default: all")] | UnsetType = UNSET
    min_severity: Annotated[Literal["info", "warning", "critical"], Meta(description="Lowest shown")] = "warning"
    include_system: Annotated[bool, Meta(description="Also kube-* namespaces")] = False
    limit: Annotated[int, Meta(ge=1, le=200, description="Rows per answer")] = 40
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@tool(
    "audit",
    args=AuditArgs,
    effect=Effect.READ,
    toolset="extended",
    timeout="slow",
    untrusted=True,
    description=(
        "Check namespaces for risky or wasteful set-up: pod security, RBAC, network policy, images, reliability, "
        "deprecated APIs, policy violations, certificates, unused objects."
    ),
)
async def audit(call: Call[KubernetesService], args: AuditArgs) -> Result:
    """Run the checks anew for each page: what a cluster is like is kept nowhere."""
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else None
    offset = as_int(call.cursors.open(args.cursor).get("offset")) if args.cursor else 0
    client = call.service.client(call.target)
    if namespace and (line := await missing_namespace(client, namespace, deadline=call.deadline)):
        raise BackendError("not_found", line, kind="fix", status=404)
    wanted: list[Check] = [name for name in NAMES if not args.checks or name in args.checks]
    now = datetime.now(UTC)
    reader = Reader(
        client,
        namespace,
        include_system=args.include_system,
        now=now,
        deadline=call.deadline,
        watched=call.service.watched,
    )
    found, failed = await run_checks(reader, wanted)
    rows = sorted((one for part in found.values() for one in part), key=lambda one: one.order)
    shown = [one for one in rows if RANK[one.severity] <= RANK[args.min_severity]]
    where = asked_namespaces(namespace, call.service, call.targets)
    when = rfc3339(now.replace(microsecond=0))
    count = number_of(len(shown), "finding")
    return Result(
        header=f"{count} of {args.min_severity} or worse in {where} on {client.name}, {when}",
        blocks=_blocks(reader, found, shown, offset, args.limit),
        page=Page.at_offset(offset, len(shown), narrow="checks, namespace or min_severity"),
        notes=[*_notes(args, namespace, len(rows) - len(shown)), *reader.notes],
        partial=[*failed, *reader.gaps],
    )


TOOLS = (audit,)


def _blocks(
    reader: Reader, found: Mapping[Check, Sequence[Finding]], shown: Sequence[Finding], offset: int, limit: int
) -> list[Block]:
    blocks: list[Block] = []
    if not offset and found:
        # Text, because the rows of every table of a paged answer are counted as rows of the page.
        blocks.append(Text(_counts(reader, found)))
    if shown:
        rows = [one.cells for one in shown[offset : offset + limit]]
        blocks.append(Table(COLUMNS, rows, untrusted=True, source="findings"))
    return blocks


def _counts(reader: Reader, found: Mapping[Check, Sequence[Finding]]) -> str:
    """A line for each check that was done, with its findings by severity."""
    severities = tuple(reversed(get_args(Severity)))
    lines = ["\t".join(("CHECK", *(severity.upper() for severity in severities)))]
    for name, findings in found.items():
        counted = Counter(one.severity for one in findings)
        part = " (in part)" if any(gap.startswith(f"{name}:") for gap in reader.gaps) else ""
        lines.append("\t".join((name + part, *(str(counted[severity]) for severity in severities))))
    return "\n".join(lines)


def _notes(args: AuditArgs, namespace: str | None, hidden: int) -> list[str]:
    notes = [f"not shown: {number_of(hidden, 'finding')} below {args.min_severity}; see min_severity"] if hidden else []
    if namespace is None and not args.include_system:
        notes.append("without namespaces of Kubernetes itself; see include_system")
    return notes
