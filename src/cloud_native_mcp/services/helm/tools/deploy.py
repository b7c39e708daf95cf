"""``helm_deploy``: a chart becomes a release, or a new revision of one.

https://helm.sh/docs/helm/helm_upgrade/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Block, Budget, Result, Text
from cloud_native_mcp.contract.tool import JSON_TEXT, Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.catalogue import CHART_ERRORS
from cloud_native_mcp.services.helm.charts.downloads import DOWNLOAD_ERRORS
from cloud_native_mcp.services.helm.charts.given_values import parse_values, unknown_notes
from cloud_native_mcp.services.helm.charts.source import chart_for
from cloud_native_mcp.services.helm.engine.changes import carry_out, refuse_pending
from cloud_native_mcp.services.helm.engine.deployment import Deployment, ValuesMode, preview
from cloud_native_mcp.services.helm.engine.failures import DEPLOY_ERRORS, ENGINE_ERRORS, RENDER_ERRORS
from cloud_native_mcp.services.helm.releases.differences import counted, differences, summary, values_difference
from cloud_native_mcp.services.helm.releases.lookup import find_release
from cloud_native_mcp.services.helm.releases.manifest import documents_of
from cloud_native_mcp.services.helm.releases.names import check_release_name
from cloud_native_mcp.services.helm.releases.proposal import chart_change, propose
from cloud_native_mcp.services.helm.releases.rules import check_objects, owner_notes
from cloud_native_mcp.services.helm.views.documents import hook_documents
from cloud_native_mcp.services.helm.views.status import readiness_blocks

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.charts.archive import Archive
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.releases.record import Body
    from cloud_native_mcp.services.helm.service import HelmService

ROOM: Final = 13_000
_MOST_NOTES: Final = 2_000


class DeployArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_deploy``."""

    name: Annotated[str, Meta(description="Release name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    chart: Annotated[
        str, Meta(description="Chart: repo/name, name with repo, oci://... or https://...tgz; 'current' keeps it")
    ]
    version: Annotated[str, Meta(description="Chart version")] | UnsetType = UNSET
    repo: Annotated[str, Meta(description="Repository URL or name")] | UnsetType = UNSET
    values: Annotated[str, Meta(description="Values as YAML text", extra=JSON_TEXT)] | UnsetType = UNSET
    values_mode: Annotated[
        ValuesMode, Meta(description="New chart defaults + old + given; old + given; only given")
    ] = "reset_then_reuse"
    if_missing: Annotated[
        Literal["fail", "install", "install_create_namespace"], Meta(description="When there is no such release")
    ] = "fail"
    wait_seconds: Annotated[int, Meta(ge=0, le=600, description="Wait for readiness; 0 does not")] = 0
    rollback_on_failure: Annotated[bool, Meta(description="Undo when it fails (needs wait)")] = False
    dry_run: Annotated[bool, Meta(description="Only show what would change")] = False


@tool(
    "deploy",
    args=DeployArgs,
    effect=Effect.WRITE,
    toolset="core",
    timeout="long",
    waits="wait_seconds",
    open_world=True,
    untrusted=True,
    idempotent=False,
    budget=Budget(usual=16_000),
    description=(
        "Install a chart as a new release or upgrade an existing one, with values as YAML text. dry_run shows the diff "
        "without changing anything."
    ),
    own_errors={
        "decode_failed": "what Helm stored of the release cannot be read",
        **DEPLOY_ERRORS,
        **ENGINE_ERRORS,
        **RENDER_ERRORS,
        **CHART_ERRORS,
        **DOWNLOAD_ERRORS,
    },
)
async def deploy(call: Call[HelmService], args: DeployArgs) -> Result:
    """Judge what the chart renders to, then let Helm install or upgrade, and tell what changed."""
    namespace, name = check_namespace(args.namespace), check_release_name(args.name)
    values = parse_values(args.values or "")
    if args.rollback_on_failure and not args.wait_seconds:
        raise InvalidArgument("rollback_on_failure", "needs wait_seconds: without it no failure is seen")
    client = call.service.client(call.target)
    client.policy.check_namespace(namespace)
    release = await _release(call, client, args, namespace, name)
    if release is not None:
        refuse_pending(release, broken_off=call.service.background.broken_off, even_broken=True)
    repo = args.repo if args.repo is not UNSET else None
    archive = await chart_for(call, client, release, chart=args.chart, repo=repo, version=args.version or "")
    deployment = Deployment(
        namespace,
        name,
        archive.packed,
        values,
        args.values_mode,
        install=args.if_missing != "fail",
        create_namespace=args.if_missing == "install_create_namespace",
    )
    present = await _present(call, client, release)
    notes = unknown_notes(archive, values)
    if args.dry_run:
        return await _dry(call, client, deployment, archive, present, notes)
    return await _done(call, client, args, deployment, archive, present, notes)


TOOLS = (deploy,)


async def _release(
    call: Call[HelmService], client: KubernetesClient, args: DeployArgs, namespace: str, name: str
) -> Release | None:
    """The release; None when there is none, or only its record, and it may be installed.

    Raises:
        ToolError: ``release_missing``.
    """
    try:
        release = await find_release(call.service.storage, client, namespace, name, deadline=call.deadline)
    except BackendError as error:
        if error.code != "not_found":
            raise
        if args.if_missing == "fail":
            text = f"{error.text}; if_missing=install installs it"
            raise ToolError("release_missing", text) from error
        return None
    if release.newest.status != "uninstalled":
        return release
    if args.if_missing == "fail":
        ways = "helm_rollback revives it, if_missing=install replaces it"
        text = f"release {name} was uninstalled and its record kept; {ways}"
        raise ToolError("release_missing", text)
    return None


async def _present(call: Call[HelmService], client: KubernetesClient, release: Release | None) -> Body | None:
    if release is None:
        return None
    record = release.serving
    return await call.service.storage.body(client, record, deadline=call.deadline)


def _judge(client: KubernetesClient, deployment: Deployment, archive: Archive, body: Body) -> list[str]:
    """Refuse what the policy refuses; warnings about other owners.

    Raises:
        ToolError: ``denied_by_policy``.
    """
    definitions = [content.decode("utf-8", "replace") for path, content in archive.files.items() if "crds/" in path]
    objects = documents_of(body.manifest)
    others = [*hook_documents(body.hooks or []), *(one for text in definitions for one in documents_of(text))]
    check_objects(client, deployment.namespace, [*objects, *others])
    return owner_notes(objects)


async def _dry(
    call: Call[HelmService],
    client: KubernetesClient,
    deployment: Deployment,
    archive: Archive,
    present: Body | None,
    notes: list[str],
) -> Result:
    proposal = await propose(call, client, deployment, present)
    owners = _judge(client, deployment, archive, proposal.proposed)
    verb = "upgrade" if present else "install"
    where = f"in namespace {deployment.namespace} on {client.name}"
    return Result(
        header=f"would {verb} release {deployment.release} {where}: {proposal.header}",
        blocks=proposal.blocks(digest=call.service.digest, context=3, room=ROOM),
        notes=[*owners, *notes, *proposal.notes],
    )


async def _done(
    call: Call[HelmService],
    client: KubernetesClient,
    args: DeployArgs,
    deployment: Deployment,
    archive: Archive,
    present: Body | None,
    notes: list[str],
) -> Result:
    proposed = await preview(call.service.engine, client, deployment, lookup=True)
    notes = [*_judge(client, deployment, archive, proposed), *notes]
    program = await call.service.engine.program()
    change = deployment.change(
        wait_seconds=args.wait_seconds, rollback_on_failure=args.rollback_on_failure, major=program.major
    )
    held = await carry_out(call, client, change)
    where = f"in namespace {deployment.namespace} on {client.name}"
    if held is None:
        text = f"the deployment of release {args.name} {where} is still running; helm_get shows how it ends"
        return Result(header=text, notes=notes)
    after = await call.service.storage.body(client, held[-1], deadline=call.deadline)
    found = differences(documents_of(present.manifest) if present else [], documents_of(after.manifest))
    values = values_difference(
        present.config if present else None, after.config, digest=call.service.digest, titles=("before", "now")
    )
    same = present is not None and not found and not values and present.chart.metadata == after.chart.metadata
    verb = "unchanged but for a new revision:" if same else "upgraded" if present else "installed"
    blocks: list[Block] = [Text(values, title="values", untrusted=True, source="values")] if values and present else []
    blocks += [summary(found)] if found else []
    if args.wait_seconds:
        blocks += await readiness_blocks(
            client, deployment.namespace, documents_of(after.manifest), deadline=call.deadline
        )
    if text := after.info.notes.strip():
        cut = f"{text[:_MOST_NOTES]}…" if len(text) > _MOST_NOTES else text
        blocks.append(Text(cut, title="notes of the chart", untrusted=True, source="notes"))
    header = f"{verb} release {args.name} {where}, revision {held[-1].revision} ({held[-1].status})"
    undo = f"undo: helm_rollback to revision {held[-2].revision}" if present and len(held) > 1 else ""
    return Result(
        header=f"{header}: {chart_change(present, after)}; {counted(found)}", blocks=blocks, notes=[*notes, undo]
    )
