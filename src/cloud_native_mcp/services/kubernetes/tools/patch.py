"""``kubernetes_patch``: change part of one object.

API: https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.contract.result import Budget, Result, Text
from cloud_native_mcp.contract.tool import JSON_TEXT, Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.applying.outcome import outcome_of
from cloud_native_mcp.services.kubernetes.applying.refusals import OWN_ERRORS, explained
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object
from cloud_native_mcp.services.kubernetes.patching.documents import patch_document
from cloud_native_mcp.services.kubernetes.patching.pairs import changes_of, taints_after

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

_TRIES = 3


class PatchArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_patch``."""

    kind: Annotated[str, Meta(description="Kind, plural or short name, e.g. deploy or rollouts.argoproj.io")]
    name: Annotated[str, Meta(description="Object name")]
    namespace: Annotated[str, Meta(description="Namespace")] | UnsetType = UNSET
    patch: Annotated[str, Meta(description="Patch as JSON or YAML text", extra=JSON_TEXT)] | UnsetType = UNSET
    patch_type: (
        Annotated[
            Literal["strategic", "merge", "json"],
            Meta(description="Default strategic for built-in kinds, else merge"),
        ]
        | UnsetType
    ) = UNSET
    labels: Annotated[list[str], Meta(description="key=value or key-")] | UnsetType = UNSET
    annotations: Annotated[list[str], Meta(description="key=value or key-")] | UnsetType = UNSET
    taints: Annotated[list[str], Meta(description="Nodes: key=value:NoSchedule, or key:NoSchedule-")] | UnsetType = (
        UNSET
    )
    subresource: Annotated[Literal["status", "scale", "resize"], Meta(description="Patch this part")] | UnsetType = (
        UNSET
    )
    resource_version: Annotated[str, Meta(description="Refuse if the object changed since")] | UnsetType = UNSET
    dry_run: Annotated[bool, Meta(description="Only show what would change")] = False


@tool(
    "patch",
    args=PatchArgs,
    effect=Effect.WRITE,
    toolset="core",
    timeout="slow",
    untrusted=True,
    idempotent=False,
    budget=Budget(usual=12_000, cap=40_000),
    description=(
        "Change part of one object: a patch document, or labels, annotations and node taints (key=value sets, key- "
        "removes)."
    ),
    own_errors={"invalid_patch": "the patch is malformed, or one of its operations does not fit the object"}
    | {code: meaning for code, meaning in OWN_ERRORS.items() if code in {"unknown_field", "immutable_field"}},
)
async def patch(call: Call[KubernetesService], args: PatchArgs) -> Result:
    """Change part of an object and show the difference; a newer object than expected is refused."""
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else None
    client = call.service.client(call.target)
    resource = await client.discovery.resolve(args.kind, deadline=call.deadline)
    check_name(args.name, resource=resource)
    where = (namespace or client.namespace) if resource.namespaced else None
    if args.taints and (resource.group, resource.kind) != ("", "Node"):
        raise InvalidArgument("taints", f"only nodes have taints, {resource.display} have none")
    for _ in range(_TRIES - 1):
        try:
            return await _patched(call, client, resource, args, where)
        except BackendError as error:
            if error.code != "conflict" or not args.taints or args.resource_version:
                raise
    return await _patched(call, client, resource, args, where)


TOOLS = (patch,)


async def _patched(
    call: Call[KubernetesService], client: KubernetesClient, resource: Resource, args: PatchArgs, where: str | None
) -> Result:
    before = await get_object(client, resource, args.name, namespace=where, deadline=call.deadline)
    kind, body = _document(resource, args, before)
    label = f"{resource.kind} {args.name}{f' in namespace {where}' if where else ''}"
    try:
        written = await writes.patch(
            client,
            resource,
            args.name,
            body,
            kind=kind,
            namespace=where,
            subresource=args.subresource or "",
            dry_run=args.dry_run,
            deadline=call.deadline,
        )
    except BackendError as error:
        raise _refusal(error, label, kind, resource, before) from error
    after = {"kind": resource.kind, "apiVersion": resource.group_version} | written.object
    part = args.subresource == "scale"
    outcome = outcome_of(
        label,
        {} if part else before,
        after,
        digest=call.service.digest,
        warnings=written.warnings,
        status=args.subresource == "status",
    )
    verb = "would change" if args.dry_run else "changed"
    header = f"{'no change to' if outcome.change == 'unchanged' else verb} {label} on {client.name}"
    version = as_str(dig(after, "metadata", "resourceVersion"))
    shown = Text(outcome.difference or "the result is equal", untrusted=bool(outcome.difference), source="diff")
    notes = [*outcome.warnings, f"resource_version {version}", *_rollout_note(before, after, dry_run=args.dry_run)]
    return Result(header=header, blocks=[shown], notes=notes)


def _document(resource: Resource, args: PatchArgs, before: dict[str, object]) -> tuple[writes.PatchType, object]:
    """The kind of patch and its body: as given, or made of labels, annotations and taints."""
    pairs = {"labels": args.labels, "annotations": args.annotations, "taints": args.taints}
    given = [name for name, value in pairs.items() if value]
    if bool(args.patch) == bool(given):
        raise InvalidArgument("patch", "give either a patch document, or labels, annotations and taints")
    if args.patch:
        kind = args.patch_type or ("strategic" if resource.builtin else "merge")
        return kind, patch_document(args.patch, kind, resource_version=args.resource_version or "")
    metadata: dict[str, object] = {
        name: changes_of(value, field=name)
        for name, value in (("labels", args.labels), ("annotations", args.annotations))
        if value
    }
    body: dict[str, object] = {"metadata": metadata}
    if args.taints:
        metadata["resourceVersion"] = as_str(dig(before, "metadata", "resourceVersion"))
        body["spec"] = {"taints": taints_after(dig(before, "spec", "taints"), args.taints)}
    if args.resource_version:
        metadata["resourceVersion"] = args.resource_version
    return "merge", body


def _refusal(
    error: BackendError, label: str, kind: writes.PatchType, resource: Resource, before: dict[str, object]
) -> ToolError:
    if error.code == "conflict":
        version = as_str(dig(before, "metadata", "resourceVersion"))
        text = f"{label} changed since that version; nothing was written; now at resource_version {version}"
        return BackendError("conflict", text, kind="fix", status=409)
    if error.status == 415:
        text = f"{label}: {resource.display} take no {kind} patch; use patch_type merge"
        return BackendError("unsupported", text, status=415)
    if kind == "json" and error.status == 422 and "rejected our request" in str(error):
        text = f"{label}: an operation has a path that is not there, or a test that fails; see kubernetes_get view=json"
        return BackendError("invalid_patch", text, kind="fix", status=422)
    return explained(error, what=label)


def _rollout_note(before: dict[str, object], after: dict[str, object], *, dry_run: bool) -> list[str]:
    template = as_dict(dig(after, "spec", "template"))
    if dry_run or not template or dig(after, "spec", "jobTemplate") or template == dig(before, "spec", "template"):
        return []
    return ["the pod template changed: a rollout started; follow it with kubernetes_rollout"]
