"""The chart a change is made with: fetched, or the one the release has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.current import chart_of

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.charts.archive import Archive
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.service import HelmService

CURRENT: Final = "current"


async def chart_for(
    call: Call[HelmService],
    client: KubernetesClient,
    release: Release | None,
    *,
    chart: str,
    repo: str | None,
    version: str,
) -> Archive:
    """The archive of the chart that is meant.

    Args:
        release: whose chart ``current`` stands for; None when there is no such release.

    Raises:
        InvalidArgument: ``current`` with a repository or version.
        ToolError: ``release_missing`` for ``current`` without a release; as the catalogue and `chart_of`.
    """
    charts = call.service.charts
    if chart.strip() != CURRENT:
        wanted = await charts.wanted(chart, repo, deadline=call.deadline)
        found = await charts.find(wanted, version, deadline=call.deadline)
        return await charts.archive(found, deadline=call.deadline)
    if repo is not None or version:
        raise InvalidArgument("repo" if repo is not None else "version", "does not go with chart=current")
    if release is None:
        raise ToolError("release_missing", "chart: 'current' needs a release that is there; name a chart to install")
    record = release.serving
    return chart_of(await call.service.storage.plain(client, record, deadline=call.deadline))
