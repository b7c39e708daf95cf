"""``helm_diff``: what differs between revisions, what an upgrade would change, or what drifted in the cluster.

Storage: https://helm.sh/docs/topics/advanced/#storage-backends; drift by server-side apply:
https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Block, Budget, Result, Table, Text
from cloud_native_mcp.contract.tool import JSON_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.catalogue import CHART_ERRORS
from cloud_native_mcp.services.helm.charts.downloads import DOWNLOAD_ERRORS
from cloud_native_mcp.services.helm.charts.given_values import parse_values, unknown_notes
from cloud_native_mcp.services.helm.charts.source import CURRENT, chart_for
from cloud_native_mcp.services.helm.engine.deployment import Deployment, ValuesMode
from cloud_native_mcp.services.helm.engine.failures import RENDER_ERRORS
from cloud_native_mcp.services.helm.releases.differences import (
    counted,
    diff_blocks,
    differences,
    values_difference,
)
from cloud_native_mcp.services.helm.releases.lookup import find_release
from cloud_native_mcp.services.helm.releases.manifest import documents_of
from cloud_native_mcp.services.helm.releases.names import check_release_name
from cloud_native_mcp.services.helm.releases.proposal import chart_change, propose
from cloud_native_mcp.services.helm.releases.rehearsal import rehearse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.releases.record import Record
    from cloud_native_mcp.services.helm.releases.rehearsal import Rehearsed
    from cloud_native_mcp.services.helm.service import HelmService

ROOM: Final = 20_000
_FITS: Final = {
    "revisions": frozenset({"revision", "to_revision"}),
    "upgrade": frozenset({"chart", "version", "repo", "values", "values_mode"}),
    "live": frozenset({"revision"}),
}
_ALWAYS: Final = frozenset({"name", "namespace", "mode", "context_lines", "target"})


class DiffArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_diff``."""

    name: Annotated[str, Meta(description="Release name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    mode: Annotated[Literal["revisions", "upgrade", "live"], Meta(description="What to compare")] = "revisions"
    revision: Annotated[int, Meta(ge=1, le=100_000, description="Default previous")] | UnsetType = UNSET
    to_revision: Annotated[int, Meta(ge=1, le=100_000, description="Default latest")] | UnsetType = UNSET
    chart: (
        Annotated[str, Meta(description="Chart: repo/name, name with repo, oci://... or https://...tgz")] | UnsetType
    ) = UNSET
    version: Annotated[str, Meta(description="Chart version")] | UnsetType = UNSET
    repo: Annotated[str, Meta(description="Repository URL or name")] | UnsetType = UNSET
    values: Annotated[str, Meta(description="Values as YAML text", extra=JSON_TEXT)] | UnsetType = UNSET
    values_mode: Annotated[ValuesMode, Meta(description="How values combine with the release's")] = "reset_then_reuse"
    context_lines: Annotated[int, Meta(ge=0, le=20, description="Lines around a change")] = 3


@tool(
    "diff",
    args=DiffArgs,
    effect=Effect.READ,
    timeout="slow",
    untrusted=True,
    budget=Budget(usual=24_000),
    description=(
        "Differences of a release: between two revisions, against a proposed upgrade (chart, version or values), or "
        "against the live cluster (drift)."
    ),
    own_errors={
        "revision_not_found": "the release does not hold that revision; the held ones are listed",
        "release_missing": "the release was uninstalled; only its record is there",
        "decode_failed": "what Helm stored of the revision cannot be read",
        **RENDER_ERRORS,
        **CHART_ERRORS,
        **DOWNLOAD_ERRORS,
    },
)
async def diff(call: Call[HelmService], args: DiffArgs) -> Result:
    """One of the three comparisons."""
    namespace, name = check_namespace(args.namespace), check_release_name(args.name)
    if strange := sorted(call.given - _ALWAYS - _FITS[args.mode]):
        takes = ", ".join(sorted(_FITS[args.mode]))
        raise InvalidArgument(strange[0], f"does not go with mode={args.mode}, which takes {takes}")
    values = parse_values(args.values or "")
    client = call.service.client(call.target)
    release = await find_release(call.service.storage, client, namespace, name, deadline=call.deadline)
    match args.mode:
        case "revisions":
            return await _revisions(call, client, release, args)
        case "upgrade":
            return await _upgrade(call, client, release, args, values)
        case "live":
            return await _live(call, client, release, args)


TOOLS = (diff,)


async def _revisions(call: Call[HelmService], client: KubernetesClient, release: Release, args: DiffArgs) -> Result:
    later = release.revision(None if args.to_revision is UNSET else args.to_revision, field="to_revision")
    earlier = _before(release, later) if args.revision is UNSET else release.revision(args.revision)
    storage = call.service.storage
    old = await storage.body(client, earlier, deadline=call.deadline)
    new = await storage.body(client, later, deadline=call.deadline)
    titles = (f"revision {earlier.revision}", f"revision {later.revision}")
    found = differences(documents_of(old.manifest), documents_of(new.manifest))
    digest = call.service.digest
    values = values_difference(old.config, new.config, digest=digest, context=args.context_lines, titles=titles)
    blocks: list[Block] = [Text(values, title="values", untrusted=True, source="values")] if values else []
    blocks += diff_blocks(found, digest=digest, context=args.context_lines, titles=titles, room=ROOM - len(values))
    where = f"release {release.name} in namespace {release.namespace} on {client.name}"
    return Result(
        header=f"{titles[0]} ({earlier.status}) to {later.revision} ({later.status}) of {where}: "
        f"{chart_change(old, new)}; {counted(found)}",
        blocks=blocks,
        notes=[] if blocks else ["nothing differs"],
    )


def _before(release: Release, later: Record) -> Record:
    """The revision before another one.

    Raises:
        ToolError: ``revision_not_found`` when none is held.
    """
    earlier = [one for one in release.revisions if one.revision < later.revision]
    if not earlier:
        text = f"revision: none before {later.revision} is held, so there is nothing to compare it with"
        raise ToolError("revision_not_found", text)
    return earlier[-1]


async def _upgrade(
    call: Call[HelmService],
    client: KubernetesClient,
    release: Release,
    args: DiffArgs,
    values: dict[str, object],
) -> Result:
    if release.newest.status == "uninstalled":
        text = f"release {release.name} was uninstalled; helm_deploy with dry_run shows an install"
        raise ToolError("release_missing", text)
    repo = args.repo if args.repo is not UNSET else None
    chart = args.chart or CURRENT
    archive = await chart_for(call, client, release, chart=chart, repo=repo, version=args.version or "")
    record = release.serving
    present = await call.service.storage.body(client, record, deadline=call.deadline)
    deployment = Deployment(release.namespace, release.name, archive.packed, values, args.values_mode)
    proposal = await propose(call, client, deployment, present)
    where = f"release {release.name} (revision {record.revision}) in namespace {release.namespace} on {client.name}"
    return Result(
        header=f"an upgrade of {where} would change: {proposal.header}",
        blocks=proposal.blocks(digest=call.service.digest, context=args.context_lines, room=ROOM),
        notes=[*unknown_notes(archive, values), *proposal.notes],
    )


async def _live(call: Call[HelmService], client: KubernetesClient, release: Release, args: DiffArgs) -> Result:
    record = release.serving if args.revision is UNSET else release.revision(args.revision)
    body = await call.service.storage.body(client, record, deadline=call.deadline)
    documents = documents_of(body.manifest)
    tried = await rehearse(client, release.name, release.namespace, documents, force=True, deadline=call.deadline)
    missing = [one for one in tried if one.live.missing]
    unread = [one for one in tried if one.problem]
    blocks = _absent(missing, unread)
    texts = [(one, one.difference(digest=call.service.digest, context=args.context_lines)) for one in tried]
    drifted = [(one.live.label, text) for one, text in texts if text]
    blocks += _drift_blocks(drifted)
    where = f"release {release.name} (revision {record.revision}) in namespace {release.namespace} on {client.name}"
    return Result(
        header=f"drift of {where}: {number_of(len(drifted), 'object', of=len(tried))} changed, {len(missing)} missing",
        blocks=blocks,
        notes=[] if blocks else ["the cluster has every object as the manifest says"],
    )


def _drift_blocks(drifted: Sequence[tuple[str, str]]) -> list[Block]:
    """The differences there is room for, then the names of the other objects."""
    blocks: list[Block] = []
    room = ROOM
    for label, text in drifted:
        room -= len(text.encode())
        if room < 0:
            rows = [(label, "differs") for label, _ in drifted[len(blocks) :]]
            return [*blocks, Table(("OBJECT", "STATE"), rows, untrusted=True, source="objects")]
        blocks.append(Text(text, title=label, untrusted=True, source="diff"))
    return blocks


def _absent(missing: Sequence[Rehearsed], unread: Sequence[Rehearsed]) -> list[Block]:
    rows = [(one.live.label, "missing") for one in missing if not one.problem]
    rows += [(one.live.label, f"not compared: {one.problem}") for one in unread]
    return [Table(("OBJECT", "STATE"), rows, untrusted=True, source="objects")] if rows else []
