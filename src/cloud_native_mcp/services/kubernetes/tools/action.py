"""``kubernetes_action``: a named operation on one object.

API: https://kubernetes.io/docs/reference/kubernetes-api/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.owner_marks import managed_note
from cloud_native_mcp.backends.kubernetes.readiness import readiness_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Block, Budget, Result, Text
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument
from cloud_native_mcp.services.kubernetes.applying.outcome import outcome_of
from cloud_native_mcp.services.kubernetes.applying.refusals import explained
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object
from cloud_native_mcp.services.kubernetes.operations.subject import Action, Subject
from cloud_native_mcp.services.kubernetes.operations.table import operation_of
from cloud_native_mcp.services.kubernetes.waiting.outcome import reasons, state_table, wait_until
from cloud_native_mcp.services.kubernetes.waiting.states import parse_until

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.operations.subject import Performed
    from cloud_native_mcp.services.kubernetes.operations.table import Operation
    from cloud_native_mcp.services.kubernetes.service import KubernetesService


class ActionArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_action``."""

    kind: Annotated[str, Meta(description="Kind, plural or short name, e.g. deploy or cronjob")]
    name: Annotated[str, Meta(description="Object name")]
    namespace: Annotated[str, Meta(description="Namespace")] | UnsetType = UNSET
    action: Annotated[Action, Meta(description="Operation (a wrong pair answers the kind's list)")]
    revision: Annotated[str, Meta(description="undo: revision number")] | UnsetType = UNSET
    dry_run: Annotated[bool, Meta(description="Only show what would change")] = False
    wait_seconds: Annotated[int, Meta(ge=0, le=600, description="Then wait this long for readiness")] = 0


@tool(
    "action",
    args=ActionArgs,
    effect=Effect.WRITE,
    toolset="core",
    timeout="long",
    waits="wait_seconds",
    untrusted=True,
    idempotent=False,
    budget=Budget(usual=4_000, cap=16_000),
    description=(
        "Run a named operation on an object of core Kubernetes: restart/undo/pause/resume rollouts, cordon/uncordon "
        "nodes, trigger/suspend/resume CronJobs, suspend/resume/rerun Jobs, approve/deny CSRs."
    ),
    own_errors={
        "unsupported_action": "the kind has no such operation; those it has are listed",
        "revision_not_found": "the workload does not hold that revision; the held ones are listed",
        "paused": "the rollout is paused, so the operation would have no effect",
    },
)
async def action(call: Call[KubernetesService], args: ActionArgs) -> Result:
    """Do one operation, and show what it changed and how to take it back."""
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else None
    client = call.service.client(call.target)
    resource = await client.discovery.resolve(args.kind, deadline=call.deadline)
    check_name(args.name, resource=resource)
    operation = operation_of(resource, args.action)
    if args.revision and args.action != "undo":
        raise InvalidArgument("revision", f"is for undo, not for {args.action}; leave it out")
    where = (namespace or client.namespace) if resource.namespaced else None
    client.policy.check_namespace(where)
    subject = Subject(
        client=client,
        resource=resource,
        object=await get_object(client, resource, args.name, namespace=where, deadline=call.deadline),
        namespace=where,
        revision=args.revision or "",
        now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        dry_run=args.dry_run,
        deadline=call.deadline,
    )
    try:
        performed = await operation.perform(subject)
    except BackendError as error:
        raise explained(error, what=subject.label) from error
    return await _answer(call, args, subject, operation, performed)


TOOLS = (action,)


async def _answer(
    call: Call[KubernetesService], args: ActionArgs, subject: Subject, operation: Operation, performed: Performed
) -> Result:
    resource, written = performed.resource, performed.written
    after = {"kind": resource.kind, "apiVersion": resource.group_version} | written.object
    blocks: list[Block] = []
    done = bool(written.created)
    if performed.before:
        outcome = outcome_of(
            subject.label, performed.before, after, digest=call.service.digest, status=performed.of_status
        )
        done = outcome.change != "unchanged"
        blocks.append(Text(outcome.difference or "it was so already", untrusted=done, source="diff"))
    state = readiness_of(resource, after)
    lines = [line for line in (performed.sentence, f"now: {state}" if state else "") if line]
    blocks[:0] = [Text("\n".join(lines), untrusted=True, source="state")] if lines else []
    waits = args.wait_seconds > 0 and not args.dry_run
    if waits and operation.until:
        blocks += await _waited(call, args, subject, operation, performed)
    verb = "would do" if args.dry_run else "did"
    header = f"{verb if done else 'nothing to do for'} {args.action} of {subject.label} on {subject.client.name}"
    notes = [*written.warnings, *managed_note(subject.object)]
    if waits and not operation.until:
        notes.append(f"did not wait: nothing follows {args.action}")
    if done:
        notes.append(operation.undo)
    return Result(header=header, blocks=blocks, notes=notes)


async def _waited(
    call: Call[KubernetesService], args: ActionArgs, subject: Subject, operation: Operation, performed: Performed
) -> list[Block]:
    name = as_str(dig(performed.written.object, "metadata", "name"))
    waited = await wait_until(
        subject.client,
        performed.resource,
        ListQuery(subject.namespace, field_selector=f"metadata.name={name}"),
        parse_until(operation.until),
        seconds=args.wait_seconds,
        deadline=call.deadline,
        progress=call.progress,
    )
    held_up = await reasons(subject.client, performed.resource, waited, deadline=call.deadline)
    return [Text(f"{operation.until}: {waited.sentence}"), state_table(waited), *held_up]
