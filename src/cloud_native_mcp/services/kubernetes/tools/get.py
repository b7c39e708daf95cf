"""``kubernetes_get``: one object, or a few by name.

API: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Block, Budget, Document, Result, Table
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument
from cloud_native_mcp.services.kubernetes.inspection.description import describe_object
from cloud_native_mcp.services.kubernetes.inspection.documents import cleaned, exported
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object
from cloud_native_mcp.services.kubernetes.inspection.tree import tree_of
from cloud_native_mcp.services.kubernetes.listing.columns import field_columns, parse_fields, readable, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.jsonpath import JsonPath
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

MOST_NAMES: Final = 10
LISTED_FROM: Final = 4
"""So many names are looked for in one list first."""
LISTED_ROOM: Final = 5
"""Objects that list may hold for each name."""


class GetArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_get``."""

    kind: Annotated[str, Meta(description="Kind, plural or short name, e.g. deploy or rollouts.argoproj.io")]
    name: Annotated[str, Meta(description="Name; up to 10 comma separated")]
    namespace: Annotated[str, Meta(description="Namespace")] | UnsetType = UNSET
    view: Annotated[
        Literal["describe", "yaml", "json", "export", "status", "tree"],
        Meta(description="describe, raw (yaml, json), export (re-appliable YAML), status, tree"),
    ] = "describe"
    fields: (
        Annotated[list[str], Meta(description="JSONPath expressions to return in place of the view")] | UnsetType
    ) = UNSET
    depth: Annotated[int, Meta(ge=1, le=4, description="Levels for tree")] = 2


@tool(
    "get",
    args=GetArgs,
    effect=Effect.READ,
    toolset="core",
    untrusted=True,
    budget=Budget(usual=40_000, cap=40_000),
    description=(
        "Show one Kubernetes object (or a few by name): condensed description with conditions, events and owner, "
        "clean YAML or JSON, chosen fields, or the tree of related objects."
    ),
)
async def get(call: Call[KubernetesService], args: GetArgs) -> Result:
    """Show objects by name; one that is missing is named beside the others."""
    names, fields = _names(args.name), parse_fields(args.fields) if args.fields else []
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else None
    client = call.service.client(call.target)
    resource = await client.discovery.resolve(args.kind, deadline=call.deadline)
    for name in names:
        check_name(name, resource=resource)
    objects, missing = await _objects(call, client, resource, names, namespace)
    blocks: list[Block] = []
    if fields:
        blocks.append(_field_table(call, resource, objects, fields))
    else:
        blocks += [await _view(call, client, resource, obj, args) for obj in objects]
    raw = args.view in {"yaml", "json"} and len(objects) == 1
    header = _at(client, resource.kind) if raw else _header(client, resource, objects, len(names))
    return Result(header=header, blocks=blocks, partial=missing)


TOOLS = (get,)


async def _objects(
    call: Call[KubernetesService],
    client: KubernetesClient,
    resource: Resource,
    names: Sequence[str],
    namespace: str | None,
) -> tuple[list[dict[str, object]], list[str]]:
    """The objects that are there, and a line for each that is not.

    Raises:
        BackendError: of the first when none is there, or any failure but ``not_found``.
    """
    known = await _listed(call, client, resource, names, namespace) if len(names) >= LISTED_FROM else {}

    async def one(name: str) -> dict[str, object] | BackendError:
        if name in known:
            return known[name]
        try:
            return await get_object(client, resource, name, namespace=namespace, deadline=call.deadline)
        except BackendError as error:
            if error.code != "not_found":
                raise
            return error

    found = await together(*map(one, names))
    objects = [each for each in found if not isinstance(each, BackendError)]
    missing = [each for each in found if isinstance(each, BackendError)]
    if not objects:
        raise missing[0]
    return objects, [f"{error.code}: {error.text}" for error in missing]


async def _listed(
    call: Call[KubernetesService],
    client: KubernetesClient,
    resource: Resource,
    names: Sequence[str],
    namespace: str | None,
) -> dict[str, dict[str, object]]:
    """One page of what is there, by name, which holds them all where there is not much else; nothing if refused."""
    if "list" not in resource.verbs or resource.display == "secrets":  # values nobody asked for are not read
        return {}
    query = ListQuery((namespace or client.namespace) if resource.namespaced else None, limit=LISTED_ROOM * len(names))
    try:
        page = await list_page(client, resource, query, item=dict[str, object], deadline=call.deadline)
    except BackendError as error:
        if error.code in {"forbidden", DENIED}:
            return {}
        raise
    head = {"apiVersion": resource.group_version, "kind": resource.kind}
    return {as_str(dig(item, "metadata", "name")): head | item for item in page.items}


async def _view(
    call: Call[KubernetesService], client: KubernetesClient, resource: Resource, obj: dict[str, object], args: GetArgs
) -> Block:
    title = f"{resource.kind} {as_str(dig(obj, 'metadata', 'name'))}"
    match args.view:
        case "describe":
            return await describe_object(client, resource, obj, deadline=call.deadline, digest=call.service.digest)
        case "tree":
            return await tree_of(client, resource, obj, depth=args.depth, deadline=call.deadline)
        case "yaml" | "json":
            return Document(cleaned(obj), format=args.view, untrusted=True, source=resource.kind)
        case "export":
            return Document(exported(obj), untrusted=True, source=title)
        case "status":
            status = {key: obj[key] for key in ("apiVersion", "kind") if key in obj} | {"status": obj.get("status")}
            return Document(status, untrusted=True, source=title)


def _field_table(
    call: Call[KubernetesService], resource: Resource, objects: Sequence[dict[str, object]], fields: Sequence[JsonPath]
) -> Table:
    prepare = readable(resource, call.service.digest)
    rows = [
        (as_str(dig(obj, "metadata", "name")), *(value_text(path.find(prepare(obj))) for path in fields))
        for obj in objects
    ]
    return Table(("NAME", *field_columns(fields)), rows, untrusted=True, source=f"fields of {resource.display}")


def _names(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise InvalidArgument("name", "is empty; give the object's name, or several comma separated")
    if len(names) > MOST_NAMES:
        raise InvalidArgument("name", f"holds {len(names)} names, at most {MOST_NAMES}")
    return names


def _header(client: KubernetesClient, resource: Resource, objects: Sequence[dict[str, object]], asked: int) -> str:
    names = ", ".join(as_str(dig(obj, "metadata", "name")) for obj in objects)
    where = f" in namespace {as_str(dig(objects[0], 'metadata', 'namespace'))}" if resource.namespaced else ""
    count = f" ({len(objects)} of {asked})" if asked > 1 else ""
    return _at(client, f"{resource.kind} {names}{where}{count} ({resource.group_version})")


def _at(client: KubernetesClient, what: str) -> str:
    """What is shown, where, as of when; a raw object names itself."""
    return f"{what} on {client.name}, {rfc3339(datetime.now(UTC).replace(microsecond=0))}"
