"""``kubernetes_explain``: the kinds of a cluster, and the fields of a kind with their documentation.

API: https://kubernetes.io/docs/concepts/overview/kubernetes-api/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Budget, Page, Result, Table, Text
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.schema.documents import schema_document
from cloud_native_mcp.services.kubernetes.schema.fields import DEEPEST, Field, find_field, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import Cell, CursorState
    from cloud_native_mcp.services.kubernetes.service import KubernetesService


ItemT = TypeVar("ItemT")
CORE: Final = "core"
"""The group without a name, as callers write it."""
ALL_VERBS: Final = frozenset({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})


class ExplainArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_explain``."""

    resource: Annotated[str, Meta(description="Kind or plural; omit to list kinds")] | UnsetType = UNSET
    field: Annotated[str, Meta(description="Path inside it, e.g. spec.template.spec")] | UnsetType = UNSET
    depth: Annotated[int, Meta(ge=1, le=4, description="Field levels")] = 1
    query: Annotated[str, Meta(description="Find kinds or fields by text", extra=FREE_TEXT)] | UnsetType = UNSET
    api_group: Annotated[str, Meta(description="Only this group")] | UnsetType = UNSET
    scope: Annotated[Literal["all", "namespaced", "cluster", "custom"], Meta(description="Kinds to list")] = "all"
    limit: Annotated[int, Meta(ge=1, le=500, description="Rows per answer")] = 100
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@tool(
    "explain",
    args=ExplainArgs,
    effect=Effect.READ,
    freshness="ttl",
    untrusted=True,
    budget=Budget(usual=12_000),
    description=(
        "Look up API kinds (list, search, custom ones) and the fields of a kind with types and documentation, from the "
        "cluster's own schema."
    ),
    own_errors={"unknown_field": "the kind has no such field; the nearest names are given"},
)
async def explain(call: Call[KubernetesService], args: ExplainArgs) -> Result:
    """List kinds, or explain the fields of one."""
    client = call.service.client(call.target)
    state = call.cursors.open(args.cursor) if args.cursor else {}
    if args.resource:
        return await _fields(call, client, args, state)
    if args.field:
        raise InvalidArgument("resource", "is needed with field, e.g. resource=deployment field=spec.strategy")
    return await _kinds(call, client, args, state)


TOOLS = (explain,)


async def _kinds(
    call: Call[KubernetesService], client: KubernetesClient, args: ExplainArgs, state: CursorState
) -> Result:
    catalogue = await client.discovery.catalogue(call.deadline)
    groups = {group.name or CORE: group for group in catalogue.groups}
    if args.api_group and args.api_group not in groups:
        raise InvalidArgument(
            "api_group", f"{args.api_group[:60]!a} is not served; groups: {', '.join(sorted(groups))}"
        )
    chosen = [resource for resource in catalogue.resources if _wanted(resource, args)]
    chosen.sort(key=lambda resource: (not resource.builtin, resource.group, resource.plural))

    def row(resource: Resource) -> Sequence[Cell]:
        other = groups[resource.group or CORE].preferred != resource.version
        return (
            resource.plural,
            ",".join(resource.short_names),
            resource.group_version + (" (not preferred)" if other else ""),
            resource.kind,
            "namespaced" if resource.namespaced else "cluster",
            "all" if resource.verbs >= ALL_VERBS else ",".join(sorted(resource.verbs)),
        )

    stale = [group.name for group in catalogue.groups if group.stale]
    notes = [f"groups whose server does not answer: {', '.join(stale)}"] if stale else []
    notes += [f"all verbs: {', '.join(sorted(ALL_VERBS))}"] if any(r.verbs >= ALL_VERBS for r in chosen) else []
    columns = ("NAME", "SHORT", "GROUP/VERSION", "KIND", "SCOPE", "VERBS")
    filters = [f"group {args.api_group}"] if args.api_group else []
    filters += [f"scope {args.scope}"] if args.scope != "all" else []
    filters += [f"text {args.query!a}"] if args.query else []
    header = f"kinds served by {client.name}" + (f" with {', '.join(filters)}" if filters else "")
    return _paged(header, columns, chosen, row, args.limit, state, notes, "query, api_group or scope")


def _wanted(resource: Resource, args: ExplainArgs) -> bool:
    if args.api_group and (resource.group or CORE) != args.api_group:
        return False
    if args.scope == "custom" and resource.builtin:
        return False
    if args.scope in ("namespaced", "cluster") and resource.namespaced != (args.scope == "namespaced"):
        return False
    text = (args.query or "").lower()
    names = (resource.kind, resource.plural, resource.group, *resource.short_names, *resource.categories)
    return not text or any(text in name.lower() for name in names)


async def _fields(
    call: Call[KubernetesService], client: KubernetesClient, args: ExplainArgs, state: CursorState
) -> Result:
    asked = args.resource or ""
    if args.api_group and "." not in asked and "/" not in asked and args.api_group != CORE:
        asked = f"{asked}.{args.api_group}"
    resource = await client.discovery.resolve(asked, deadline=call.deadline, field="resource")
    document = await schema_document(client, resource, cache=call.service.cache, deadline=call.deadline)
    root = document.of_kind(resource)
    if root is None:
        raise ToolError("unsupported", f"cluster {client.name} publishes no schema of {resource.display}")
    field = find_field(document, root, args.field or "")
    below = list(walk(document, field, depth=DEEPEST if args.query else args.depth))
    if args.query:
        below = [one for one in below if one.mentions(args.query)]
    where = f".{field.path}" if field.path else ""
    said = f", fields with {args.query!a}" if args.query else ""
    header = f"{resource.kind}{where} ({resource.group_version}) on {client.name}{said}"

    def row(one: Field) -> Sequence[Cell]:
        return _field_row(one, below=field.path)

    columns = ("FIELD", "TYPE", "DESCRIPTION")
    result = _paged(header, columns, below, row, args.limit, state, [], "field, query or depth")
    if state or args.query:
        return result
    about = Text(_about(field), untrusted=True, source="schema")
    return Result(header=header, blocks=[about, *result.blocks], page=result.page, notes=result.notes)


def _field_row(field: Field, *, below: str) -> Sequence[Cell]:
    """A field, its path relative to the one that the header names."""
    marks = [mark for mark, on in (("required", field.required), ("deprecated", field.deprecated)) if on]
    kind = field.type + (f" ({', '.join(marks)})" if marks else "")
    return (field.path.removeprefix(below), kind, _details(field) or None)


def _about(field: Field) -> str:
    """The field itself."""
    bounds = [f"{name} {value:g}" for name, value in _bounds(field) if value is not None]
    return "\n".join(filter(None, (f"type: {field.type}", ", ".join(bounds), _details(field))))


def _details(field: Field) -> str:
    parts = [field.description]
    values = field.schema.enum or field.target.enum
    if values:
        parts.append(f"one of: {', '.join(map(str, values))}")
    if field.default:
        parts.append(f"default: {field.default}")
    if field.target.preserve:
        parts.append("any further fields are kept")
    return " · ".join(filter(None, parts))


def _bounds(field: Field) -> tuple[tuple[str, float | None], ...]:
    return (("minimum", field.target.minimum), ("maximum", field.target.maximum))


def _paged(
    header: str,
    columns: Sequence[str],
    items: Sequence[ItemT],
    row: Callable[[ItemT], Sequence[Cell]],
    limit: int,
    state: CursorState,
    notes: Sequence[str],
    narrow: str,
) -> Result:
    offset, total = as_int(state.get("offset")), len(items)
    rows = [row(item) for item in items[offset : offset + limit]]
    page = Page.at_offset(offset, total, narrow=narrow)
    table = Table(columns, rows, untrusted=True, source="schema")
    return Result(header=header, blocks=[table] if rows else [], page=page, notes=notes)
