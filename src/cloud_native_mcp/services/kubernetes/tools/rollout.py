"""``kubernetes_rollout``: state of a rollout, revision history, difference between two revisions.

API: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.rollout_state import condition, observed, state_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Block, Budget, Result, Table, Text
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.response.document import dump_yaml
from cloud_native_mcp.response.objects import mask_object
from cloud_native_mcp.services.kubernetes.describe.facts import condition_rows
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object
from cloud_native_mcp.services.kubernetes.rollouts.revisions import revisions_of
from cloud_native_mcp.services.kubernetes.rollouts.slow_pods import slow_pods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.rollouts.revisions import Revision
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

MOST_REVISIONS: Final = 20
_SUPPORTED: Final = frozenset(
    {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("argoproj.io", "Rollout")}
)


class RolloutArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_rollout``."""

    kind: Annotated[str, Meta(description="deployment, statefulset, daemonset, rollout")] = "deployment"
    name: Annotated[str, Meta(description="Workload name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    view: Annotated[Literal["status", "history", "diff"], Meta(description="What to show")] = "status"
    revision: Annotated[int, Meta(description="Revision; diff: default previous")] | UnsetType = UNSET
    to_revision: Annotated[int, Meta(description="diff: default current")] | UnsetType = UNSET


@tool(
    "rollout",
    args=RolloutArgs,
    effect=Effect.READ,
    toolset="core",
    untrusted=True,
    budget=Budget(usual=12_000),
    description=(
        "Rollout status of a workload, its revision history, or the difference between two revisions of its pod "
        "template."
    ),
    own_errors={
        "revision_not_found": "the workload does not hold that revision; the held ones are listed",
        "unsupported_kind": "the kind has no rollouts",
    },
)
async def rollout(call: Call[KubernetesService], args: RolloutArgs) -> Result:
    """State, history or difference of a workload's rollouts."""
    namespace = check_namespace(args.namespace)
    client = call.service.client(call.target)
    resource = await client.discovery.resolve(args.kind, deadline=call.deadline)
    if (resource.group, resource.kind) not in _SUPPORTED:
        raise ToolError(
            "unsupported_kind",
            f"kind: {resource.display} has no rollouts; use deployment, statefulset, daemonset or rollout",
        )
    check_name(args.name, resource=resource)
    obj = await get_object(client, resource, args.name, namespace=namespace, deadline=call.deadline)
    header = f"{args.view} of {resource.kind} {args.name} in namespace {namespace} on {client.name}"
    match args.view:
        case "status":
            return await _status(call, client, resource, obj, header)
        case "history":
            held = await revisions_of(client, resource, obj, deadline=call.deadline)
            return _history(held, args, header)
        case "diff":
            held = await revisions_of(client, resource, obj, deadline=call.deadline)
            return _diff(call, held, args, header)


TOOLS = (rollout,)


async def _status(
    call: Call[KubernetesService], client: KubernetesClient, resource: Resource, obj: dict[str, object], header: str
) -> Result:
    state = state_of(resource.kind, obj)
    wanted, seen = observed(obj)
    lines = [
        state.sentence,
        f"{state.desired} desired, {state.updated} updated, {state.ready} ready, {state.available} available",
        f"generation {wanted}, observed {seen}",
    ]
    blocks: list[Block] = [Text("\n".join(lines), untrusted=True, source="rollout")]
    conditions = [found for name in ("Progressing", "ReplicaFailure") if (found := condition(obj, name))]
    if conditions:
        columns = ("TYPE", "STATUS", "SINCE", "REASON", "MESSAGE")
        blocks.append(Table(columns, condition_rows(list(conditions)), untrusted=True, source="conditions"))
    if state.phase != "done":
        blocks += await slow_pods(client, resource, obj, deadline=call.deadline)
    return Result(header=f"{header}: {state.phase}", blocks=blocks)


def _history(held: Sequence[Revision], args: RolloutArgs, header: str) -> Result:
    chosen = [_find(held, args.revision)] if args.revision is not UNSET else list(held)[-MOST_REVISIONS:]
    rows = [
        (
            one.number,
            "current" if one.current else "",
            age(one.created),
            ", ".join(one.images),
            one.cause,
            one.replicas,
        )
        for one in reversed(chosen)
    ]
    columns = ("REVISION", "MARK", "AGE", "IMAGES", "CHANGE-CAUSE", "REPLICAS")
    notes = [f"newest {len(rows)} of {len(held)} held revisions"] if len(rows) < len(held) else []
    if not rows:
        notes.append("no revision is held")
    return Result(header=header, blocks=[Table(columns, rows, untrusted=True, source="history")], notes=notes)


def _diff(call: Call[KubernetesService], held: Sequence[Revision], args: RolloutArgs, header: str) -> Result:
    new = _find(held, args.to_revision) if args.to_revision is not UNSET else _current(held)
    old = _find(held, args.revision) if args.revision is not UNSET else _before(held, new)
    before, after = (dump_yaml(mask_object(one.template, call.service.digest)).splitlines() for one in (old, new))
    lines = difflib.unified_diff(before, after, f"revision {old.number}", f"revision {new.number}", lineterm="")
    text = "\n".join(lines) or f"revisions {old.number} and {new.number} have the same pod template"
    return Result(header=header, blocks=[Text(text, untrusted=True, source="pod templates")])


def _find(held: Sequence[Revision], number: int) -> Revision:
    found = next((one for one in held if one.number == number), None)
    if found is None:
        numbers = ", ".join(str(one.number) for one in held) or "none"
        raise ToolError("revision_not_found", f"revision: {number} is not held; held: {numbers}")
    return found


def _current(held: Sequence[Revision]) -> Revision:
    current = [one for one in held if one.current] or list(held)[-1:]
    if not current:
        raise ToolError("revision_not_found", "the workload holds no revision")
    return current[0]


def _before(held: Sequence[Revision], new: Revision) -> Revision:
    older = [one for one in held if one.number < new.number]
    if not older:
        raise InvalidArgument("revision", f"no revision before {new.number} is held", code="revision_not_found")
    return older[-1]
