"""``helm_rollback``: back to an earlier revision, which becomes a new one.

https://helm.sh/docs/helm/helm_rollback/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Block, Budget, Result
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.helm.engine.changes import Change, carry_out, refuse_pending
from cloud_native_mcp.services.helm.engine.failures import ENGINE_ERRORS
from cloud_native_mcp.services.helm.releases.differences import counted, diff_blocks, differences, summary
from cloud_native_mcp.services.helm.releases.lookup import find_release
from cloud_native_mcp.services.helm.releases.manifest import documents_of
from cloud_native_mcp.services.helm.releases.names import check_release_name
from cloud_native_mcp.services.helm.releases.rules import check_fence, check_objects, owner_notes
from cloud_native_mcp.services.helm.views.documents import hook_documents
from cloud_native_mcp.services.helm.views.status import readiness_blocks

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.releases.record import Record
    from cloud_native_mcp.services.helm.service import HelmService

ROOM = 10_000


class RollbackArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_rollback``."""

    name: Annotated[str, Meta(description="Release name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    revision: (
        Annotated[int, Meta(ge=1, le=100_000, description="Default: last revision that deployed well")] | UnsetType
    ) = UNSET
    dry_run: Annotated[bool, Meta(description="Only show what would change")] = False
    wait_seconds: Annotated[int, Meta(ge=0, le=600, description="Then wait this long for readiness")] = 0
    cleanup_on_fail: Annotated[bool, Meta(description="Remove objects a failed rollback created")] = False
    no_hooks: Annotated[bool, Meta(description="Skip hooks")] = False


@tool(
    "rollback",
    args=RollbackArgs,
    effect=Effect.WRITE,
    toolset="core",
    timeout="long",
    waits="wait_seconds",
    untrusted=True,
    idempotent=False,
    budget=Budget(usual=12_000),
    description="Roll a release back to an earlier revision. dry_run shows the diff.",
    own_errors={
        "revision_not_found": "the release does not hold that revision, or none before the present one",
        "decode_failed": "what Helm stored of the revision cannot be read",
        **ENGINE_ERRORS,
    },
)
async def rollback(call: Call[HelmService], args: RollbackArgs) -> Result:
    """Go back, and tell which objects change and what the new revision is."""
    namespace, name = check_namespace(args.namespace), check_release_name(args.name)
    client = call.service.client(call.target)
    client.policy.check_namespace(namespace)
    storage = call.service.storage
    release = await find_release(storage, client, namespace, name, deadline=call.deadline)
    back = _chosen(release, None if args.revision is UNSET else args.revision)
    refuse_pending(release, broken_off=call.service.background.broken_off, even_broken=False)
    present = await storage.body(client, release.serving, deadline=call.deadline)
    earlier = await storage.body(client, back, deadline=call.deadline)
    objects = documents_of(earlier.manifest)
    check_objects(client, namespace, [*objects, *hook_documents(earlier.hooks or [])])
    check_fence(client, namespace, documents_of(present.manifest), verbs=("get", "delete"))
    found = differences(documents_of(present.manifest), objects)
    where = f"in namespace {namespace} on {client.name}"
    notes = owner_notes(objects)
    if args.dry_run:
        titles = (f"revision {release.serving.revision}", f"revision {back.revision}")
        blocks = diff_blocks(found, digest=call.service.digest, titles=titles, room=ROOM)
        return Result(
            header=f"would roll release {name} back to revision {back.revision} {where}: {counted(found)}",
            blocks=blocks,
            notes=notes,
        )
    options = [*(["--cleanup-on-fail"] if args.cleanup_on_fail else []), *(["--no-hooks"] if args.no_hooks else [])]
    change = Change(
        "rollback", namespace, name, ["rollback", name, str(back.revision), *options], wait_seconds=args.wait_seconds
    )
    held = await carry_out(call, client, change)
    if held is None:
        text = f"the rollback of release {name} {where} is still running; helm_get view=history shows how it ends"
        return Result(header=text, notes=notes)
    blocks: list[Block] = [summary(found)] if found else []
    if args.wait_seconds:
        blocks += await readiness_blocks(client, namespace, objects, deadline=call.deadline)
    before = release.newest.revision
    return Result(
        header=f"rolled release {name} back from revision {before} to {back.revision} {where}, now revision "
        f"{held[-1].revision} ({held[-1].status}): {counted(found)}",
        blocks=blocks,
        notes=[*notes, f"undo: helm_rollback to revision {before}" if release.newest.status == "deployed" else ""],
    )


TOOLS = (rollback,)


def _chosen(release: Release, revision: int | None) -> Record:
    """The revision asked for, else the last one that was deployed before the present state.

    Raises:
        ToolError: ``revision_not_found``.
    """
    if revision is not None:
        return release.revision(revision)
    worked = [
        one for one in release.revisions if one.status in {"deployed", "superseded"} and one is not release.newest
    ]
    if not worked:
        held = ", ".join(str(one.revision) for one in release.revisions)
        raise ToolError("revision_not_found", f"revision: none before the present one deployed well; held: {held}")
    return worked[-1]
