"""``kubernetes_apply``: create or change objects from a manifest.

API: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.manifests import locate, read_manifest
from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Block, Budget, Result, Table, Text
from cloud_native_mcp.contract.tool import JSON_TEXT, Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument
from cloud_native_mcp.services.kubernetes.applying.refusals import OWN_ERRORS
from cloud_native_mcp.services.kubernetes.applying.run import Application, Applied
from cloud_native_mcp.services.kubernetes.waiting.outcome import reasons, wait_until
from cloud_native_mcp.services.kubernetes.waiting.states import parse_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.manifests import Planned
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService


class ApplyArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_apply``."""

    manifest: Annotated[str, Meta(description="YAML or JSON documents", extra=JSON_TEXT)]
    namespace: Annotated[str, Meta(description="For documents without one")] | UnsetType = UNSET
    dry_run: Annotated[bool, Meta(description="Only show what would change")] = False
    show_diff: Annotated[bool, Meta(description="Diff per object")] = True
    force_conflicts: Annotated[bool, Meta(description="Take over fields owned by others")] = False
    create_namespace: Annotated[bool, Meta(description="Create missing namespaces")] = False
    wait_seconds: Annotated[int, Meta(ge=0, le=600, description="Then wait this long for readiness")] = 0


@tool(
    "apply",
    args=ApplyArgs,
    effect=Effect.WRITE,
    toolset="core",
    timeout="long",
    waits="wait_seconds",
    untrusted=True,
    budget=Budget(usual=24_000, cap=40_000),
    description=(
        "Create or update objects from YAML or JSON, several documents allowed, by server-side apply. The manifest is "
        "the full desired state of the fields it owns. Answers a diff; dry_run first when unsure."
    ),
    own_errors={"invalid_yaml": "the manifest is malformed or refused; line and column are named", **OWN_ERRORS},
)
async def apply(call: Call[KubernetesService], args: ApplyArgs) -> Result:
    """Try every document on the server, then apply them in order; the first failure ends the run."""
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else None
    documents = read_manifest(args.manifest)
    client = call.service.client(call.target)
    planned = await locate(documents, client.discovery, namespace=namespace or client.namespace, deadline=call.deadline)
    for one in planned:
        client.policy.check_namespace(one.namespace)
        client.policy.check(one.document.object)
    application = Application(call, client, force=args.force_conflicts)
    made = await _namespaces(call, client, planned, dry_run=args.dry_run) if args.create_namespace else []
    applied = await application.rehearse([one for one in planned if one.namespace not in made or not args.dry_run])
    if args.dry_run:
        return _answer(applied, planned, client, args, made)
    applied = await application.run(planned)
    waited = await _wait(call, client, planned, args) if args.wait_seconds and not applied.failed else []
    return _answer(applied, planned, client, args, made, waited)


TOOLS = (apply,)


async def _namespaces(
    call: Call[KubernetesService], client: KubernetesClient, planned: Sequence[Planned], *, dry_run: bool
) -> list[str]:
    """Create the namespaces that are missing; their names."""
    resource = await client.discovery.find("", "v1", "Namespace", deadline=call.deadline)
    if resource is None:
        raise InvalidArgument("create_namespace", "the cluster serves no namespaces")
    brought = {one.document.name for one in planned if one.document.kind == "Namespace"}
    made: list[str] = []
    for name in sorted({one.namespace for one in planned if one.namespace} - brought):
        try:
            await client.metadata(resource, name, deadline=call.deadline)
        except BackendError as error:
            if error.code != "not_found":
                raise
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            await writes.create(client, resource, body, dry_run=dry_run, deadline=call.deadline)
            made.append(name)
    return made


async def _wait(
    call: Call[KubernetesService], client: KubernetesClient, planned: Sequence[Planned], args: ApplyArgs
) -> list[Block]:
    """Wait for the objects one after the other within the time for all of them."""
    limit = call.deadline.sooner(args.wait_seconds)
    rows: list[tuple[str, str]] = []
    held_up: list[Block] = []
    for one in planned:
        if one.resource is None or not one.document.name or "watch" not in one.resource.verbs:
            continue
        waited = await wait_until(
            client,
            one.resource,
            ListQuery(one.namespace, field_selector=f"metadata.name={one.document.name}"),
            parse_until("ready"),
            seconds=limit.remaining,
            deadline=call.deadline,
            progress=call.progress,
        )
        rows.append((one.label, "ready" if waited.met else f"{waited.sentence}: {'; '.join(waited.states.values())}"))
        if not waited.met and not held_up:
            held_up = await reasons(client, one.resource, waited, deadline=call.deadline)
    return [Table(("OBJECT", "READY"), rows, untrusted=True, source="readiness"), *held_up]


def _answer(
    applied: Applied,
    planned: Sequence[Planned],
    client: KubernetesClient,
    args: ApplyArgs,
    made: Sequence[str],
    waited: Sequence[Block] = (),
) -> Result:
    rows: list[tuple[str, str]] = [(f"Namespace {name}", "created") for name in made]
    rows += [(one.label, one.change) for one in applied.outcomes]
    rows += [(label, "not tried: needs what this manifest creates") for label in applied.later]
    notes = list(dict.fromkeys(warning for one in applied.outcomes for warning in one.warnings))
    if applied.failed:
        label, error = applied.failed
        rows.append((label, f"failed: {error.code}: {error.text}"))
        notes.append("stopped at the first failure; what is listed before it is done, what follows was not tried")
    blocks: list[Block] = [Table(("OBJECT", "CHANGE"), rows, untrusted=True, source="objects")]
    if args.show_diff:
        blocks += [block for one in applied.outcomes if (block := one.block)]
    if not applied.outcomes and not rows:
        blocks = [Text("nothing to do")]
    verb = "would apply" if args.dry_run else "applied"
    header = f"{verb} {number_of(len(applied.outcomes), 'object', of=len(planned))} on {client.name}"
    facts = {"failed": applied.failed[1].code} if applied.failed else {}
    return Result(header=header, blocks=[*blocks, *waited], notes=notes, facts=facts)
