"""``kubernetes_scale``: the number of replicas of a workload.

API: https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/scale-v1/
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int, as_str, dig
from cloud_native_mcp.contract.result import Block, Budget, Result, Text
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.inspection.lookup import not_found
from cloud_native_mcp.services.kubernetes.scaling.autoscalers import autoscaler_notes, budget_notes
from cloud_native_mcp.services.kubernetes.waiting.outcome import reasons, state_table, wait_until
from cloud_native_mcp.services.kubernetes.waiting.states import parse_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

# Seconds before each further try: the status of a Deployment that is new or rolls out changes many times a second.
_PAUSES: Final = (0.0, 0.05, 0.1, 0.2, 0.4)


class ScaleArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_scale``."""

    kind: Annotated[str, Meta(description="Workload kind")] = "deployment"
    name: Annotated[str, Meta(description="Workload name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    replicas: Annotated[int, Meta(ge=0, le=10_000, description="Desired replicas")]
    current_replicas: (
        Annotated[int, Meta(ge=0, le=10_000, description="Refuse unless the present value is this")] | UnsetType
    ) = UNSET
    dry_run: Annotated[bool, Meta(description="Only show what would change")] = False
    wait_seconds: Annotated[int, Meta(ge=0, le=600, description="Then wait this long for readiness")] = 0


@tool(
    "scale",
    args=ScaleArgs,
    effect=Effect.WRITE,
    toolset="core",
    timeout="long",
    waits="wait_seconds",
    untrusted=True,
    budget=Budget(usual=2_000, cap=4_000),
    description=(
        "Set the number of replicas of a workload (any kind with a scale subresource). Warns when an autoscaler will "
        "override it."
    ),
    own_errors={"no_scale": "the kind has no scale subresource"},
)
async def scale(call: Call[KubernetesService], args: ScaleArgs) -> Result:
    """Set the replicas through the scale subresource; a changed object is refused, never overwritten."""
    namespace = check_namespace(args.namespace)
    check_name(args.name)
    client = call.service.client(call.target)
    resource = await _scalable(client, args.kind, call)
    before = await _expected(client, resource, args, namespace, call)
    present = as_int(dig(before, "spec", "replicas"))
    written = await _write(client, resource, args, before, call)
    after = as_int(dig(written.object, "spec", "replicas"))
    ready = as_int(dig(written.object, "status", "replicas"))
    notes = [
        *written.warnings,
        *await autoscaler_notes(client, resource, args.name, namespace, deadline=call.deadline),
        *await budget_notes(client, dig(written.object, "status", "selector"), namespace, after, call.deadline),
    ]
    blocks: list[Block] = [Text(f"replicas {present} → {after}; {ready} there now")]
    if args.wait_seconds and not args.dry_run:
        blocks += await _waited(client, resource, args, namespace, call)
    verb = "would scale" if args.dry_run else "scaled"
    header = f"{verb} {resource.kind} {args.name} in namespace {namespace} on {client.name}"
    return Result(header=header, blocks=blocks, notes=notes)


TOOLS = (scale,)


async def _scalable(client: KubernetesClient, kind: str, call: Call[KubernetesService]) -> Resource:
    resource = await client.discovery.resolve(kind, deadline=call.deadline)
    if "scale" not in resource.subresources:
        text = f"kind: {resource.display} has no scale subresource; change its own field with kubernetes_patch"
        raise ToolError("no_scale", text)
    return resource


async def _expected(
    client: KubernetesClient, resource: Resource, args: ScaleArgs, namespace: str, call: Call[KubernetesService]
) -> dict[str, object]:
    """The present scale; refused when it is not the one the caller expects."""
    found = await _current(client, resource, args.name, namespace, call)
    present = as_int(dig(found, "spec", "replicas"))
    if args.current_replicas is not UNSET and present != args.current_replicas:
        text = f"current_replicas: {args.name} has {present}, not {args.current_replicas}; nothing was changed"
        raise ToolError("precondition_failed", text)
    return found


async def _current(
    client: KubernetesClient, resource: Resource, name: str, namespace: str, call: Call[KubernetesService]
) -> dict[str, object]:
    try:
        return await client.get(resource, name, namespace=namespace, subresource="scale", deadline=call.deadline)
    except BackendError as error:
        if error.status != 404:
            raise
        raise await not_found(client, resource, name, namespace=namespace, deadline=call.deadline) from error


async def _write(
    client: KubernetesClient,
    resource: Resource,
    args: ScaleArgs,
    before: dict[str, object],
    call: Call[KubernetesService],
    pauses: Sequence[float] = _PAUSES,
) -> writes.Written:
    """Write the replicas; a guarded write that met a change of something else (the status) looks again and goes on."""
    change: dict[str, object] = {"spec": {"replicas": args.replicas}}
    if args.current_replicas is not UNSET:
        change["metadata"] = {"resourceVersion": as_str(dig(before, "metadata", "resourceVersion"))}
    try:
        return await writes.patch(
            client,
            resource,
            args.name,
            change,
            kind="merge",
            namespace=args.namespace,
            subresource="scale",
            dry_run=args.dry_run,
            deadline=call.deadline,
        )
    except BackendError as error:
        if error.code != "conflict" or args.current_replicas is UNSET or not pauses:
            raise
    await asyncio.sleep(pauses[0])
    again = await _expected(client, resource, args, args.namespace, call)
    return await _write(client, resource, args, again, call, pauses[1:])


async def _waited(
    client: KubernetesClient, resource: Resource, args: ScaleArgs, namespace: str, call: Call[KubernetesService]
) -> list[Block]:
    waited = await wait_until(
        client,
        resource,
        ListQuery(namespace, field_selector=f"metadata.name={args.name}"),
        parse_until("ready"),
        seconds=args.wait_seconds,
        deadline=call.deadline,
        progress=call.progress,
    )
    held_up = await reasons(client, resource, waited, deadline=call.deadline)
    return [Text(f"ready: {waited.sentence}"), state_table(waited), *held_up]
