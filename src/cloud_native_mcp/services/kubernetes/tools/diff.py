"""``kubernetes_diff``: what would change, or what differs.

API: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.diff import unified
from cloud_native_mcp.backends.kubernetes.manifests import locate, read_manifest
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.namespaces import missing_namespace
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Block, Budget, Page, Result, Table, Text
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.contract.tool import JSON_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.kubernetes.applying.refusals import OWN_ERRORS
from cloud_native_mcp.services.kubernetes.applying.run import Application
from cloud_native_mcp.services.kubernetes.comparison.fields import portable
from cloud_native_mcp.services.kubernetes.comparison.namespaces import USUAL_KINDS, Place, compare
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

MOST_KINDS: Final = 20
MOST_DOCUMENTS: Final = 50
_USED: Final[Mapping[str, frozenset[str]]] = {
    "manifest": frozenset({"manifest", "namespace"}),
    "objects": frozenset({"kind", "name", "namespace", "other_name", "other_namespace", "other_target"}),
    "namespaces": frozenset({"kind", "namespace", "other_namespace", "other_target"}),
}
_ALWAYS: Final = frozenset({"mode", "context_lines", "target"})


class DiffArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_diff``."""

    mode: Annotated[Literal["manifest", "objects", "namespaces"], Meta(description="What to compare")] = "manifest"
    manifest: Annotated[str, Meta(description="YAML documents (mode manifest)", extra=JSON_TEXT)] | UnsetType = UNSET
    kind: Annotated[str, Meta(description="Kind; namespaces mode: kinds, comma separated")] | UnsetType = UNSET
    name: Annotated[str, Meta(description="Object name")] | UnsetType = UNSET
    namespace: Annotated[str, Meta(description="Namespace")] | UnsetType = UNSET
    other_name: Annotated[str, Meta(description="Second object; default same name")] | UnsetType = UNSET
    other_namespace: Annotated[str, Meta(description="Second namespace; default same")] | UnsetType = UNSET
    other_target: Annotated[str, Meta(description="Second cluster; default same")] | UnsetType = UNSET
    context_lines: Annotated[int, Meta(ge=0, le=20, description="Lines around a change")] = 3


@tool(
    "diff",
    args=DiffArgs,
    effect=Effect.READ,
    toolset="extended",
    timeout="slow",
    untrusted=True,
    budget=Budget(usual=24_000, cap=40_000),
    description=(
        "Show differences: a manifest against the live cluster (server dry run), two objects, or two namespaces or "
        "clusters."
    ),
    own_errors={"invalid_yaml": "the manifest is malformed or refused; line and column are named", **OWN_ERRORS},
)
async def diff(call: Call[KubernetesService], args: DiffArgs) -> Result:
    """Compare; nothing is stored anywhere."""
    for name in sorted(call.given - _ALWAYS - _USED[args.mode]):
        used = ", ".join(sorted(_USED[args.mode]))
        raise InvalidArgument(name, f"has no meaning with mode={args.mode}, which takes {used}")
    match args.mode:
        case "manifest":
            return await _manifest(call, args)
        case "objects":
            return await _objects(call, args)
        case "namespaces":
            return await _namespaces(call, args)


TOOLS = (diff,)


async def _manifest(call: Call[KubernetesService], args: DiffArgs) -> Result:
    if not args.manifest:
        raise InvalidArgument("manifest", "is needed with mode=manifest")
    client = call.service.client(call.target)
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else client.namespace
    documents = read_manifest(args.manifest)
    if len(documents) > MOST_DOCUMENTS:
        raise InvalidArgument("manifest", f"holds {len(documents)} objects, at most {MOST_DOCUMENTS} can be compared")
    planned = await locate(documents, client.discovery, namespace=namespace, deadline=call.deadline)
    tried = await Application(call, client, force=True, context=args.context_lines).rehearse(planned)
    rows = [(one.label, "new" if one.change == "created" else one.change) for one in tried.outcomes]
    rows += [(label, "not tried: needs what this manifest creates") for label in tried.later]
    changed = sum(change != "unchanged" for _, change in rows)
    blocks: list[Block] = [Table(("OBJECT", "CHANGE"), rows, untrusted=True, source="objects")]
    blocks += [block for one in tried.outcomes if one.change == "configured" and (block := one.block)]
    notes = list(dict.fromkeys(warning for one in tried.outcomes for warning in one.warnings))
    count = number_of(changed, "object", of=len(rows))
    header = f"different from {client.name}: {count} of the manifest; nothing was changed"
    return Result(header=header, blocks=blocks, notes=notes)


async def _objects(call: Call[KubernetesService], args: DiffArgs) -> Result:
    if not args.kind or not args.name:
        raise InvalidArgument("kind" if not args.kind else "name", "is needed with mode=objects")
    one, other = _places(call, args)
    names = args.name, args.other_name or args.name
    if (one.client.name, one.namespace, names[0]) == (other.client.name, other.namespace, names[1]):
        raise InvalidArgument("other_name", "give it, other_namespace or other_target: an object equals itself")
    kinds = [await place.client.discovery.resolve(args.kind, deadline=call.deadline) for place in (one, other)]
    for name, resource, field in zip(names, kinds, ("name", "other_name"), strict=True):
        check_name(name, field=field, resource=resource)
    found = await together(
        *(
            get_object(
                place.client,
                resource,
                name,
                namespace=place.namespace if resource.namespaced else None,
                deadline=call.deadline,
            )
            for place, resource, name in zip((one, other), kinds, names, strict=True)
        )
    )
    titles = (f"{names[0]} in {one.label}", f"{names[1]} in {other.label}")
    digest, context = call.service.digest, args.context_lines
    text = unified(portable(found[0]), portable(found[1]), digest=digest, context=context, titles=titles)
    header = f"{args.kind} {titles[0]} and {titles[1]}: {'they differ' if text else 'equal'}"
    blocks = [Text(text, untrusted=True, source="diff")] if text else []
    return Result(header=header, blocks=blocks, notes=["left out: names, status, and what the server sets"])


async def _namespaces(call: Call[KubernetesService], args: DiffArgs) -> Result:
    one, other = _places(call, args)
    if (one.client.name, one.namespace) == (other.client.name, other.namespace):
        raise InvalidArgument("other_namespace", "give it or other_target: a namespace equals itself")
    kinds = list(dict.fromkeys(kind.strip() for kind in args.kind.split(",") if kind.strip())) if args.kind else []
    if len(kinds) > MOST_KINDS:
        raise InvalidArgument("kind", f"holds {len(kinds)} kinds, at most {MOST_KINDS}")
    for place, field in ((one, "namespace"), (other, "other_namespace")):
        if line := await missing_namespace(place.client, place.namespace, deadline=call.deadline):
            raise InvalidArgument(field, line, code="not_found")
    for kind in kinds:
        if not (await one.client.discovery.resolve(kind, deadline=call.deadline)).namespaced:
            raise InvalidArgument("kind", f"{kind} is in no namespace; compare two of them with mode=objects")
    found = await compare(one, other, kinds or USUAL_KINDS, digest=call.service.digest, deadline=call.deadline)
    columns = ("KIND", "NAME", "WHERE", "FIELDS", "IMAGES")
    header = f"{one.label} and {other.label}: {number_of(len(found.rows), 'object')} different, {found.equal} equal"
    return Result(
        header=header,
        blocks=[Table(columns, found.rows, untrusted=True, source="objects")] if found.rows else [],
        page=Page(None, total=len(found.rows), narrow="kind") if found.rows else None,
        notes=[
            "objects that a controller made are left to what made them; for one object see mode=objects",
            *([] if kinds else [f"kinds compared: {', '.join(kind.partition('.')[0] for kind in USUAL_KINDS)}"]),
        ],
        partial=found.unread,
    )


def _places(call: Call[KubernetesService], args: DiffArgs) -> tuple[Place, Place]:
    """The two sides, the second as the first where nothing else is said."""
    client = call.service.client(call.target)
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else client.namespace
    other = _client(call, args.other_target) if args.other_target else client
    second = check_namespace(args.other_namespace, field="other_namespace") if args.other_namespace else namespace
    return Place(client, namespace), Place(other, second)


def _client(call: Call[KubernetesService], target: str) -> KubernetesClient:
    known = call.service.targets
    if target not in known:
        near = nearest(target, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InvalidArgument("other_target", f"is not one of {', '.join(known)}{hint}")
    return call.service.client(target)
