"""``helm_get``: one release, from what Helm keeps of it and what is in the cluster.

Storage: https://helm.sh/docs/topics/advanced/#storage-backends
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Budget, Page, Result, Table, Text
from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.response.document import dump_yaml
from cloud_native_mcp.services.helm.releases.live import live_objects
from cloud_native_mcp.services.helm.releases.lookup import find_release
from cloud_native_mcp.services.helm.releases.manifest import documents_of, selected
from cloud_native_mcp.services.helm.releases.names import check_release_name
from cloud_native_mcp.services.helm.releases.values import at_path, merged, without_secrets
from cloud_native_mcp.services.helm.views.chart import chart_blocks
from cloud_native_mcp.services.helm.views.documents import document_page, hook_documents
from cloud_native_mcp.services.helm.views.status import status_blocks

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.releases.record import Body, Record
    from cloud_native_mcp.services.helm.service import HelmService

View = Literal["status", "values", "all_values", "manifest", "notes", "hooks", "resources", "history", "chart"]
_SELECTABLE: Final = frozenset({"values", "all_values", "manifest", "resources", "hooks"})
_PAGED: Final = frozenset({"manifest", "hooks", "resources", "history"})


class GetArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_get``."""

    name: Annotated[str, Meta(description="Release name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    view: Annotated[View, Meta(description="What to show")] = "status"
    revision: Annotated[int, Meta(ge=1, le=100_000, description="Default latest")] | UnsetType = UNSET
    select: (
        Annotated[str, Meta(description="values: dotted path; manifest and resources: kind or kind/name")] | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=300, description="Rows per answer")] = 50
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@tool(
    "get",
    args=GetArgs,
    effect=Effect.READ,
    toolset="core",
    untrusted=True,
    budget=Budget(usual=16_000, cap=40_000),
    description=(
        "One Helm release: status, values, manifest, notes, hooks, live state of its resources, revision history or "
        "chart facts, for the current or a given revision."
    ),
    own_errors={
        "revision_not_found": "the release does not hold that revision; the held ones are listed",
        "decode_failed": "what Helm stored of the revision cannot be read",
    },
)
async def get_release(call: Call[HelmService], args: GetArgs) -> Result:
    """One view of one revision of a release."""
    namespace, name = check_namespace(args.namespace), check_release_name(args.name)
    if args.select and args.view not in _SELECTABLE:
        raise InvalidArgument(
            "select", f"does not go with view={args.view}; it is for {', '.join(sorted(_SELECTABLE))}"
        )
    if args.cursor and args.view not in _PAGED:
        raise InvalidArgument("cursor", f"does not go with view={args.view}, which has one page")
    offset = as_int(call.cursors.open(args.cursor).get("offset")) if args.cursor else 0
    client = call.service.client(call.target)
    release = await find_release(call.service.storage, client, namespace, name, deadline=call.deadline)
    record = release.revision(None if args.revision is UNSET else args.revision)
    header = f"{args.view} of release {name}, revision {record.revision} ({record.status}), in namespace {namespace}"
    header = f"{header} on {client.name}"
    if args.view == "history":
        return await _history(call, client, release, args, offset)
    body = await call.service.storage.body(client, record, deadline=call.deadline)
    return await _view(call, client, release, record, body, args, offset, header)


TOOLS = (get_release,)


async def _view(
    call: Call[HelmService],
    client: KubernetesClient,
    release: Release,
    record: Record,
    body: Body,
    args: GetArgs,
    offset: int,
    header: str,
) -> Result:
    select = args.select or ""
    match args.view:
        case "values" | "all_values":
            return _values(call, body, args, header)
        case "manifest":
            return document_page(header, selected(documents_of(body.manifest), select), offset)
        case "hooks":
            return document_page(header, selected(hook_documents(body.hooks or []), select), offset)
        case "resources":
            return await _resources(call, client, release, body, args, offset, header)
        case "notes":
            text = body.info.notes.strip() or "the chart has no notes"
            return Result(header=header, blocks=[Text(text, untrusted=True, source="notes")])
        case "chart":
            return Result(header=header, blocks=chart_blocks(body.chart.metadata))
        case _:
            return Result(
                header=header, blocks=await status_blocks(client, release, record, body, deadline=call.deadline)
            )


def _values(call: Call[HelmService], body: Body, args: GetArgs, header: str) -> Result:
    given = body.config or {}
    values: dict[str, object] = merged(body.chart.values, given) if args.view == "all_values" else given
    shown = without_secrets(values, call.service.digest)
    if args.select:
        name, value = at_path(values, args.select)
        shown = without_secrets(value, call.service.digest, name=name)
        header = f"{header}, {args.select}"
    text = dump_yaml(shown) if values else "the user gave no values"
    notes: list[str] = []
    if args.view == "all_values" and body.chart.metadata.dependencies:
        notes.append("without the defaults of the charts it depends on: Helm does not keep them")
    return Result(header=header, blocks=[Text(text, untrusted=True, source="values")], notes=notes)


async def _resources(
    call: Call[HelmService],
    client: KubernetesClient,
    release: Release,
    body: Body,
    args: GetArgs,
    offset: int,
    header: str,
) -> Result:
    documents = selected(documents_of(body.manifest), args.select or "")
    shown = documents[offset : offset + args.limit]
    live = await live_objects(client, release.namespace, shown, deadline=call.deadline)
    rows = [
        (
            one.document.kind,
            f"{one.namespace}/{one.document.name}" if one.namespace else one.document.name,
            "missing" if one.missing else f"not read: {one.unread}" if one.unread else one.state,
            {True: "yes", False: "no", None: ""}[one.ready],
            one.age,
        )
        for one in live
    ]
    table = Table(("KIND", "NAME", "STATUS", "READY", "AGE"), rows, untrusted=True, source="resources")
    return Result(
        header=header,
        blocks=[table] if rows else [],
        page=Page.at_offset(offset, len(documents), narrow="select"),
        notes=[] if rows else ["the manifest holds no objects"],
    )


async def _history(
    call: Call[HelmService], client: KubernetesClient, release: Release, args: GetArgs, offset: int
) -> Result:
    chosen = list(reversed(release.revisions))
    if args.revision is not UNSET:
        chosen = [release.revision(args.revision)]
    shown = chosen[offset : offset + args.limit]
    briefs = await call.service.storage.briefs(client, shown, deadline=call.deadline)
    rows: list[tuple[str | int, ...]] = []
    for record in shown:
        brief = briefs[record.identity]
        if isinstance(brief, ToolError):
            told = ("?", "?", f"{brief.code}: {brief.text}")
        else:
            told = (brief.chart_label, brief.chart.metadata.app_version or "", brief.info.description)
        rows.append((record.revision, format_age(record.age), record.status, *told))
    columns = ("REV", "UPDATED", "STATUS", "CHART", "APP", "DESCRIPTION")
    header = f"history of release {release.name} in namespace {release.namespace} on {client.name}, newest first"
    return Result(
        header=header,
        blocks=[Table(columns, rows, untrusted=True, source="history")],
        page=Page.at_offset(offset, len(chosen), narrow="revision"),
    )
