"""``helm_uninstall``: a release and its objects go, in two steps.

https://helm.sh/docs/helm/helm_uninstall/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.contract.confirmation import Plan
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Block, Budget, Result, Table
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.services.helm.engine.changes import Change, carry_out, refuse_pending
from cloud_native_mcp.services.helm.engine.failures import ENGINE_ERRORS
from cloud_native_mcp.services.helm.releases.leftovers import left_behind
from cloud_native_mcp.services.helm.releases.live import live_objects
from cloud_native_mcp.services.helm.releases.lookup import find_release
from cloud_native_mcp.services.helm.releases.manifest import documents_of
from cloud_native_mcp.services.helm.releases.names import check_release_name
from cloud_native_mcp.services.helm.releases.rules import CHANGES, check_fence, owner_notes
from cloud_native_mcp.services.helm.views.documents import hook_documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.releases.live import Live
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument
    from cloud_native_mcp.services.helm.service import HelmService


class UninstallArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_uninstall``."""

    name: Annotated[str, Meta(description="Release name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    keep_history: Annotated[bool, Meta(description="Keep the record for a later rollback")] = False
    no_hooks: Annotated[bool, Meta(description="Skip hooks")] = False
    cascade: Annotated[Literal["background", "foreground", "orphan"], Meta(description="Dependents")] = "background"
    wait_seconds: Annotated[int, Meta(ge=0, le=600, description="Wait until objects are gone")] = 0
    confirm: (
        Annotated[str, Meta(description="Code from the plan that a call without it answers; acts only with it")]
        | UnsetType
    ) = UNSET


@tool(
    "uninstall",
    args=UninstallArgs,
    effect=Effect.DESTROY,
    timeout="long",
    waits="wait_seconds",
    untrusted=True,
    budget=Budget(usual=8_000),
    description=(
        "Uninstall a release and delete its objects. Without confirm it lists what goes and what stays (PVCs, CRDs, "
        "keep-policy objects)."
    ),
    own_errors={"decode_failed": "what Helm stored of the revision cannot be read", **ENGINE_ERRORS},
)
async def uninstall(call: Call[HelmService], args: UninstallArgs) -> Result:
    """Show what would go; with the plan's code, uninstall that very release."""
    namespace, name = check_namespace(args.namespace), check_release_name(args.name)
    client = call.service.client(call.target)
    client.policy.check_namespace(namespace)
    release = await find_release(call.service.storage, client, namespace, name, deadline=call.deadline)
    refuse_pending(release, broken_off=call.service.background.broken_off, even_broken=False)
    documents, hooks = await _held(call, client, release)
    check_fence(client, namespace, documents, verbs=("get", "delete"))
    check_fence(client, namespace, [] if args.no_hooks else hooks, verbs=CHANGES)
    live = await live_objects(client, namespace, documents, deadline=call.deadline)
    for one in live:
        client.policy.check_namespace(one.namespace or None)
        if not one.document.kept and one.document.kind in {"Namespace", "CustomResourceDefinition", "PersistentVolume"}:
            client.policy.require("delete_cluster_objects", f"deleting {one.label} with release {namespace}/{name}")
    stays = await left_behind(client, live, deadline=call.deadline)
    if pending := call.confirm(_plan(client, release, live, stays, args), args.confirm):
        return pending
    options = [f"--cascade={args.cascade}", *(["--keep-history"] if args.keep_history else [])]
    options += ["--no-hooks"] if args.no_hooks else []
    change = Change("uninstall", namespace, name, ["uninstall", name, *options], wait_seconds=args.wait_seconds)
    before = release.newest
    where = f"in namespace {namespace} on {client.name}"
    if await carry_out(call, client, change) is None:
        return Result(
            header=f"the uninstallation of release {name} {where} is still running; helm_get shows how it ends"
        )
    after = await live_objects(client, namespace, [one.document for one in live], deadline=call.deadline)
    return Result(
        header=f"uninstalled release {name} {where}, last revision {before.revision}",
        blocks=[_outcome(after), *_stay_blocks(stays)],
        notes=[f"undo: helm_rollback to revision {before.revision}"] if args.keep_history else [],
    )


TOOLS = (uninstall,)


async def _held(
    call: Call[HelmService], client: KubernetesClient, release: Release
) -> tuple[Sequence[ReleaseDocument], Sequence[ReleaseDocument]]:
    """The documents of the release and of its hooks; none once it is uninstalled."""
    if release.newest.status == "uninstalled":
        return [], []
    record = release.serving
    body = await call.service.storage.body(client, record, deadline=call.deadline)
    return documents_of(body.manifest), hook_documents(body.hooks or [])


def _plan(
    client: KubernetesClient,
    release: Release,
    live: Sequence[Live],
    stays: Sequence[tuple[str, str]],
    args: UninstallArgs,
) -> Plan:
    rows = [(one.label, _fate(one)) for one in live]
    notes = ["hooks are skipped" if args.no_hooks else "hooks of the chart for deletion run"]
    if args.cascade == "orphan":
        notes.append("dependents (pods) stay without an owner")
    notes.append(
        "the record stays for a rollback" if args.keep_history else "the record goes too: no rollback afterwards"
    )
    subjects = [f"{release.newest.uid}@{release.newest.version}"]
    subjects += [f"{one.label} {as_str(dig(one.object, 'metadata', 'uid'))}" for one in live if one.object]
    table = Table(("OBJECT", "WHAT BECOMES OF IT"), rows, untrusted=True, source="objects")
    return Plan(
        f"would uninstall release {release.name} (revision {release.newest.revision}, {release.newest.status}) in "
        f"namespace {release.namespace} on {client.name}",
        [*([table] if rows else []), *_stay_blocks(stays)],
        subjects,
        [*owner_notes([one.document for one in live]), *notes],
    )


def _fate(one: Live) -> str:
    if one.document.kept:
        return "stays: its policy is keep"
    if one.missing:
        return "is not there"
    return f"not read: {one.unread}" if one.unread else "is deleted"


def _outcome(after: Sequence[Live]) -> Table:
    rows = [(one.label, _now(one)) for one in after]
    return Table(("OBJECT", "NOW"), rows, untrusted=True, source="objects")


def _now(one: Live) -> str:
    if one.missing:
        return "gone"
    return "kept" if one.document.kept else one.unread or "still going"


def _stay_blocks(stays: Sequence[tuple[str, str]]) -> list[Block]:
    return [Table(("STAYS", "WHY"), stays, untrusted=True, source="objects")] if stays else []
