"""``kubernetes_diagnose``: what is unhealthy, and why.

API: https://kubernetes.io/docs/tasks/debug/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.times import parse_instant
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Area  # noqa: TC001 - read when the schema is written
from cloud_native_mcp.services.kubernetes.diagnosis.one_object import Question, explain
from cloud_native_mcp.services.kubernetes.diagnosis.scan import Scan, scan

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import Result
    from cloud_native_mcp.services.kubernetes.service import KubernetesService


class DiagnoseArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_diagnose``."""

    kind: Annotated[str, Meta(description="Kind; omit to scan")] | UnsetType = UNSET
    name: Annotated[str, Meta(description="Name; omit to scan")] | UnsetType = UNSET
    namespace: Annotated[str, Meta(description="Namespace; omit for all")] | UnsetType = UNSET
    checks: Annotated[list[Area], Meta(description="Scan only these areas")] | UnsetType = UNSET
    since: Annotated[str, Meta(description="Window: 30m, 6h, 2d or RFC 3339 start")] = "1h"
    min_severity: Annotated[Literal["info", "warning", "critical"], Meta(description="Lowest shown")] = "warning"
    include_logs: Annotated[bool, Meta(description="Add last error lines of failing containers")] = True
    limit: Annotated[int, Meta(ge=1, le=100, description="Rows per answer")] = 20
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@tool(
    "diagnose",
    args=DiagnoseArgs,
    effect=Effect.READ,
    toolset="core",
    timeout="slow",
    all_targets=True,
    untrusted=True,
    description=(
        "Find unhealthy objects in a cluster or namespace, ranked with likely cause; or, given kind and name, explain "
        "why that one is unhealthy with the evidence and next steps."
    ),
)
async def diagnose(call: Call[KubernetesService], args: DiagnoseArgs) -> Result:
    """Look at everything, or at one object."""
    now = datetime.now(UTC)
    since = parse_instant(args.since, field="since", now=now)
    if since > now:
        raise InvalidArgument("since", "lies in the future")
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else None
    if args.kind is UNSET and args.name is UNSET:
        return await scan(call, _scan(args, namespace, since, now))
    if args.kind is UNSET or args.name is UNSET:
        missing, given = ("kind", "name") if args.kind is UNSET else ("name", "kind")
        raise InvalidArgument(missing, f"is needed with {given}; leave out both to scan")
    resource = await call.service.client(call.target).discovery.resolve(args.kind, deadline=call.deadline)
    name = check_name(args.name, resource=resource)
    if (resource.group, resource.kind) == ("", "Namespace"):
        return await scan(call, _scan(args, check_namespace(name, field="name"), since, now))
    for field in ("checks", "cursor", "limit"):
        if field in call.given:
            raise InvalidArgument(field, "is for scans; leave it out, or leave out kind and name")
    if len(call.targets) > 1:
        raise InvalidArgument("target", "name one cluster to explain one object")
    least = args.min_severity if "min_severity" in call.given else "info"
    return await explain(call, Question(resource, name, namespace, since, now, least, logs=args.include_logs))


TOOLS = (diagnose,)


def _scan(args: DiagnoseArgs, namespace: str | None, since: datetime, now: datetime) -> Scan:
    checks = args.checks or ()
    return Scan(namespace, tuple(checks), since, now, args.min_severity, args.limit, args.cursor or "")
