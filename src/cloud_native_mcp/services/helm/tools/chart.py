"""``helm_chart``: find a chart and read it, without Helm and without a cluster.

Repositories: https://helm.sh/docs/topics/chart_repository/; registries: https://helm.sh/docs/topics/registries/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Budget, Result
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.expressions import Search
from cloud_native_mcp.services.helm.charts.catalogue import CHART_ERRORS
from cloud_native_mcp.services.helm.charts.downloads import DOWNLOAD_ERRORS
from cloud_native_mcp.services.helm.views.chart import chart_blocks
from cloud_native_mcp.services.helm.views.chart_files import (
    dependency_table,
    template_list,
    template_text,
    text_page,
    values_text,
)
from cloud_native_mcp.services.helm.views.charts import (
    list_repositories,
    list_versions,
    search_hub,
    search_repositories,
)

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.charts.archive import Archive
    from cloud_native_mcp.services.helm.service import HelmService

View = Literal["search", "versions", "summary", "readme", "values", "schema", "templates", "dependencies", "repos"]
_LISTS: Final = frozenset({"search", "versions"})
_FITS: Final[dict[str, frozenset[str]]] = {
    "query": frozenset({"search"}),
    "source": frozenset({"search"}),
    "path": frozenset({"templates", "values"}),
    "limit": frozenset({"search", "versions", "templates"}),
    "cursor": frozenset({"search", "versions", "readme", "values", "schema", "templates"}),
}
"""Which views take these arguments."""


class ChartArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_chart``."""

    view: Annotated[View, Meta(description="What to show")] = "summary"
    chart: (
        Annotated[str, Meta(description="Chart: repo/name, name with repo, oci://... or https://...tgz")] | UnsetType
    ) = UNSET
    query: Annotated[str, Meta(description="search: text or regular expression", extra=FREE_TEXT)] | UnsetType = UNSET
    repo: Annotated[str, Meta(description="Repository URL or name")] | UnsetType = UNSET
    version: Annotated[str, Meta(description="Version or range; default latest stable")] | UnsetType = UNSET
    source: Annotated[Literal["configured", "hub"], Meta(description="Where to search")] = "configured"
    devel: Annotated[bool, Meta(description="Include pre-releases")] = False
    path: Annotated[str, Meta(description="templates: file; values: dotted path")] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, description="Rows per answer")] = 20
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@tool(
    "chart",
    args=ChartArgs,
    effect=Effect.READ,
    freshness="ttl",
    timeout="slow",
    has_target=False,
    open_world=True,
    untrusted=True,
    budget=Budget(usual=16_000),
    description=(
        "Find charts in the configured repositories (or Artifact Hub) and read a chart: versions, summary, readme, "
        "values, schema, templates, dependencies; or list repositories."
    ),
    own_errors={**CHART_ERRORS, **DOWNLOAD_ERRORS},
)
async def show_chart(call: Call[HelmService], args: ChartArgs) -> Result:
    """One view of the repositories, or of one chart."""
    _check(call, args)
    offset = as_int(call.cursors.open(args.cursor).get("offset")) if args.cursor else 0
    version = args.version or ""
    if args.view == "repos":
        return await list_repositories(call)
    if args.view == "search":
        query = args.query or ""
        if args.source == "hub":
            return await search_hub(call, query, limit=args.limit, offset=offset)
        repo = args.repo if args.repo is not UNSET else None
        return await search_repositories(
            call,
            Search(query, field="query") if query else None,
            repo=repo,
            version=version,
            devel=args.devel,
            limit=args.limit,
            offset=offset,
        )
    return await _one(call, args, version, offset)


TOOLS = (show_chart,)


async def _one(call: Call[HelmService], args: ChartArgs, version: str, offset: int) -> Result:
    charts = call.service.charts
    repo = args.repo if args.repo is not UNSET else None
    wanted = await charts.wanted(args.chart or "", repo, deadline=call.deadline)
    if args.view == "versions":
        return await list_versions(call, wanted, version, devel=args.devel, limit=args.limit, offset=offset)
    found = await charts.find(wanted, version, devel=args.devel, deadline=call.deadline)
    archive = await charts.archive(found, deadline=call.deadline)
    metadata = archive.metadata
    return _view(args, archive, offset, f"{args.view} of chart {metadata.name}-{metadata.version} from {wanted.label}")


def _view(args: ChartArgs, archive: Archive, offset: int, header: str) -> Result:
    path = args.path or ""
    match args.view:
        case "readme":
            return text_page(header, archive.readme or "the chart has no readme", offset, source="readme")
        case "values":
            header = f"{header}, {path}" if path else header
            values = values_text(archive, path) or "the chart has no values"
            return text_page(header, values, offset, source="values.yaml")
        case "schema":
            schema = archive.text("values.schema.json") or "the chart has no schema for its values"
            return text_page(header, schema, offset, source="values.schema.json")
        case "templates" if path:
            return text_page(f"{header}, {path}", template_text(archive, path), offset, source=path)
        case "templates":
            return template_list(header, archive, limit=args.limit, offset=offset)
        case "dependencies":
            return dependency_table(header, archive)
        case _:
            return Result(header=header, blocks=chart_blocks(archive.metadata))


def _check(call: Call[HelmService], args: ChartArgs) -> None:
    """Refuse arguments that the view would not heed.

    Raises:
        InvalidArgument: the view lacks a chart, or takes no such argument.
    """
    for name, views in _FITS.items():
        if name in call.given and args.view not in views:
            raise InvalidArgument(name, f"does not go with view={args.view}; it is for {', '.join(sorted(views))}")
    needs_chart = args.view not in {"search", "repos"}
    if needs_chart and not args.chart:
        raise InvalidArgument("chart", f"view={args.view} needs one; view=search finds them")
    if not needs_chart and args.chart is not UNSET:
        raise InvalidArgument("chart", f"does not go with view={args.view}; search by query")
    if args.source == "hub" and args.repo is not UNSET:
        raise InvalidArgument("repo", "does not go with source=hub")
    if args.view == "repos" and args.repo is not UNSET:
        raise InvalidArgument("repo", "does not go with view=repos, which lists all")
