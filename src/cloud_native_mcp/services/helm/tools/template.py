"""``helm_template``: what a chart would make, without installing it.

https://helm.sh/docs/helm/helm_template/ and https://helm.sh/docs/helm/helm_lint/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result
from cloud_native_mcp.contract.tool import JSON_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.services.helm.charts.catalogue import CHART_ERRORS
from cloud_native_mcp.services.helm.charts.downloads import DOWNLOAD_ERRORS
from cloud_native_mcp.services.helm.charts.given_values import parse_values, unknown_notes
from cloud_native_mcp.services.helm.engine.engine import CHART
from cloud_native_mcp.services.helm.engine.failures import RENDER_ERRORS, failure
from cloud_native_mcp.services.helm.releases.manifest import documents_of
from cloud_native_mcp.services.helm.releases.names import check_release_name
from cloud_native_mcp.services.helm.views.rendered import (
    chosen_documents,
    document_blocks,
    lint_result,
    summary_table,
)

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.charts.archive import Archive
    from cloud_native_mcp.services.helm.service import HelmService

SECONDS: Final = 30.0
MOST_RENDERED: Final = 5_000_000
_VERSION: Final = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.\d{1,4}(?:[-+][0-9A-Za-z.+-]{1,60})?)?", re.ASCII)


class TemplateArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_template``."""

    chart: Annotated[str, Meta(description="Chart: repo/name, name with repo, oci://... or https://...tgz")]
    version: Annotated[str, Meta(description="Chart version")] | UnsetType = UNSET
    repo: Annotated[str, Meta(description="Repository URL or name")] | UnsetType = UNSET
    values: Annotated[str, Meta(description="Values as YAML text", extra=JSON_TEXT)] | UnsetType = UNSET
    name: Annotated[str, Meta(description="Release name")] = "release"
    namespace: Annotated[str, Meta(description="Namespace")] = "default"
    mode: Annotated[Literal["render", "summary", "lint"], Meta(description="What to do")] = "render"
    select: Annotated[str, Meta(description="kind, kind/name or templates/file.yaml")] | UnsetType = UNSET
    kube_version: Annotated[str, Meta(description="Render for this version; default the cluster's")] | UnsetType = UNSET
    include_crds: Annotated[bool, Meta(description="Include CRDs")] = False


@tool(
    "template",
    args=TemplateArgs,
    effect=Effect.READ,
    timeout="slow",
    open_world=True,
    untrusted=True,
    budget=Budget(usual=32_000),
    description=(
        "Render a chart with values without installing it, and lint it. Shows chosen documents or a summary of what "
        "would be created."
    ),
    own_errors={**RENDER_ERRORS, **CHART_ERRORS, **DOWNLOAD_ERRORS},
)
async def template(call: Call[HelmService], args: TemplateArgs) -> Result:
    """Fetch the chart, let Helm render or lint it away from the cluster, and show the outcome."""
    namespace, name = check_namespace(args.namespace), check_release_name(args.name)
    values = parse_values(args.values or "")
    kube_version = _kube_version(args.kube_version or "")
    if args.mode == "lint" and (args.select or args.include_crds):
        raise InvalidArgument("select" if args.select else "include_crds", "does not go with mode=lint")
    charts = call.service.charts
    repo = args.repo if args.repo is not UNSET else None
    wanted = await charts.wanted(args.chart, repo, deadline=call.deadline)
    found = await charts.find(wanted, args.version or "", deadline=call.deadline)
    archive = await charts.archive(found, deadline=call.deadline)
    client = call.service.client(call.target)
    capabilities = await _capabilities(client, kube_version, call, everything=args.mode != "lint")
    label = f"chart {archive.metadata.name}-{archive.metadata.version} from {wanted.label}"
    if args.mode == "lint":
        return await _lint(call, archive, values, namespace, capabilities, label)
    arguments = ["template", name, CHART, *capabilities, *(["--include-crds"] if args.include_crds else [])]
    text = await _rendered(call, archive, values, namespace, arguments)
    return _answer(args, archive, values, text, label)


TOOLS = (template,)


def _answer(args: TemplateArgs, archive: Archive, values: dict[str, object], text: str, label: str) -> Result:
    documents = chosen_documents(documents_of(text), args.select or "")
    notes = unknown_notes(archive, values)
    if args.mode == "summary":
        table = summary_table(documents)
        return Result(header=f"{label} would make {number_of(len(documents), 'object')}", blocks=[table], notes=notes)
    blocks, left = document_blocks(documents)
    header = f"{label}, rendered: {number_of(len(blocks), 'document', of=len(documents))}"
    return Result(header=header, blocks=blocks, notes=[*left, *notes])


async def _rendered(
    call: Call[HelmService], archive: Archive, values: dict[str, object], namespace: str, arguments: list[str]
) -> str:
    """The manifest.

    Raises:
        ToolError: what Helm's words mean; ``too_large`` above 5 MB; ``timeout``.
    """
    try:
        async with call.deadline.sooner(SECONDS).enforce():
            ended = await call.service.engine.run(
                None, arguments, namespace=namespace, chart=archive.packed, values=values
            )
    except TimeoutError:
        raise ToolError("timeout", f"the chart was not rendered within {SECONDS:g} s") from None
    if ended.status != 0:
        raise failure(ended.complaint)
    if len(ended.output) > MOST_RENDERED:
        raise ToolError("too_large", f"the chart renders to more than {MOST_RENDERED // 1_000_000} MB", kind="final")
    return ended.output.decode("utf-8", "replace")


async def _lint(
    call: Call[HelmService],
    archive: Archive,
    values: dict[str, object],
    namespace: str,
    capabilities: list[str],
    label: str,
) -> Result:
    ended = await call.service.engine.run(
        None, ["lint", CHART, *capabilities], namespace=namespace, chart=archive.packed, values=values
    )
    output, complaint = (clean(part.decode("utf-8", "replace")) for part in (ended.output, ended.complaint))
    result = lint_result(f"lint of {label}", output, complaint)
    return Result(header=result.header, blocks=result.blocks, notes=unknown_notes(archive, values))


async def _capabilities(
    client: KubernetesClient, kube_version: str, call: Call[HelmService], *, everything: bool
) -> list[str]:
    """Options that tell templates which version and kinds the cluster has.

    Args:
        everything: also the kinds, which the linter does not take.
    """
    options: list[str] = []
    version = kube_version or (await client.version(call.deadline)).git_version
    options.append(f"--kube-version={version}")
    if everything:
        catalogue = await client.discovery.catalogue(call.deadline)
        served = sorted(
            {resource.group_version for resource in catalogue.resources}
            | {f"{resource.group_version}/{resource.kind}" for resource in catalogue.resources}
        )
        options.append(f"--api-versions={','.join(served)}")
    return options


def _kube_version(text: str) -> str:
    """A version that may stand on a command line.

    Raises:
        InvalidArgument: it is none.
    """
    if text and _VERSION.fullmatch(text) is None:
        raise InvalidArgument("kube_version", f"{text[:60]!a} is no version of Kubernetes, such as 1.31 or 1.31.2")
    return text
