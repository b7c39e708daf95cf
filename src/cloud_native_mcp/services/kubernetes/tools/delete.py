"""``kubernetes_delete``: delete or evict objects, in two steps.

API: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.manifests import locate, read_manifest
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.selectors import check_field_selector, check_label_selector
from cloud_native_mcp.contract.confirmation import Plan
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result, Table
from cloud_native_mcp.contract.tool import JSON_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.removal.dependents import what_goes_along
from cloud_native_mcp.services.kubernetes.removal.execution import Removal
from cloud_native_mcp.services.kubernetes.removal.selection import Victim, named, of_manifest, selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.writes import Propagation
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

MOST_NAMES: Final = 20
_PROPAGATION: Final[Mapping[str, Propagation]] = {
    "background": "Background",
    "foreground": "Foreground",
    "orphan": "Orphan",
}
_GUARDED: Final = frozenset(
    {
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)
"""Kinds whose deletion takes much more with it than their name says: only where the operator permits it."""


class DeleteArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_delete``."""

    kind: (
        Annotated[str, Meta(description="Kind, plural or short name, e.g. deploy or rollouts.argoproj.io")] | UnsetType
    ) = UNSET
    name: Annotated[str, Meta(description="Name; up to 20 comma separated")] | UnsetType = UNSET
    namespace: Annotated[str, Meta(description="Namespace")] | UnsetType = UNSET
    label_selector: Annotated[str, Meta(description="e.g. app=old")] | UnsetType = UNSET
    field_selector: Annotated[str, Meta(description="e.g. status.phase=Failed")] | UnsetType = UNSET
    manifest: (
        Annotated[str, Meta(description="YAML whose objects to delete, in place of kind and name", extra=JSON_TEXT)]
        | UnsetType
    ) = UNSET
    evict: Annotated[bool, Meta(description="Pods: use the Eviction API")] = False
    propagation: Annotated[Literal["background", "foreground", "orphan"], Meta(description="Dependents")] = "background"
    grace_period_seconds: Annotated[int, Meta(ge=0, le=3_600, description="Pods; 0 forces")] | UnsetType = UNSET
    confirm: (
        Annotated[str, Meta(description="Code from the plan that a call without it answers; acts only with it")]
        | UnsetType
    ) = UNSET


@tool(
    "delete",
    args=DeleteArgs,
    effect=Effect.DESTROY,
    toolset="core",
    timeout="slow",
    untrusted=True,
    budget=Budget(usual=12_000, cap=40_000),
    description=(
        "Delete objects by name, selector or manifest, or evict pods (honours disruption budgets). Without confirm it "
        "answers what would go."
    ),
    own_errors={
        "selector_required": "neither name, selector nor manifest was given: a whole kind is never deleted",
    },
)
async def delete(call: Call[KubernetesService], args: DeleteArgs) -> Result:
    """Show what would go; with the plan's code, delete exactly those objects, each only if it still is the same."""
    client = call.service.client(call.target)
    victims, missing = await _victims(call, client, args)
    for one in victims:
        _check(client, one, evict=args.evict)
    plan = await _plan(call, client, args, victims, missing)
    pending = call.confirm(plan, args.confirm)
    if pending is not None:
        return pending
    removal = Removal(
        client,
        evict=args.evict,
        propagation=_PROPAGATION[args.propagation],
        grace_period_seconds=None if args.grace_period_seconds is UNSET else args.grace_period_seconds,
        deadline=call.deadline,
    )
    rows = await removal.run(victims, call.progress)
    gone = sum(not outcome.startswith("refused") for _, outcome in rows)
    verb = "evicted" if args.evict else "deleted"
    notes = [f"not there: {', '.join(missing)}"] if missing else []
    table = Table(("OBJECT", "OUTCOME"), rows, untrusted=True, source="objects")
    return Result(
        header=f"{verb} {number_of(gone, 'object', of=len(victims))} on {client.name}", blocks=[table], notes=notes
    )


TOOLS = (delete,)


async def _victims(
    call: Call[KubernetesService], client: KubernetesClient, args: DeleteArgs
) -> tuple[list[Victim], list[str]]:
    """The objects that are meant, and those that are not there.

    Raises:
        ToolError: ``selector_required``, ``not_found``; a mixture of ways to say which.
    """
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else client.namespace
    if args.manifest:
        if args.kind or args.name or args.label_selector or args.field_selector:
            raise InvalidArgument("manifest", "stands in place of kind, name and selectors; give one or the other")
        planned = await locate(
            read_manifest(args.manifest), client.discovery, namespace=namespace, deadline=call.deadline
        )
        return await of_manifest(client, planned, deadline=call.deadline)
    if not args.kind:
        raise InvalidArgument("kind", "is missing; give kind and name or a selector, or a manifest")
    selects = bool(args.label_selector or args.field_selector)
    if args.name is UNSET and not selects:
        raise ToolError("selector_required", "name: give it, or a selector; a whole kind is never deleted")
    if args.name and selects:
        raise InvalidArgument("name", "give it or a selector, not both")
    names = _names(args.name) if args.name is not UNSET else []
    resource = await client.discovery.resolve(args.kind, deadline=call.deadline)
    for name in names:
        check_name(name, resource=resource)
    where = namespace if resource.namespaced else None
    if names:
        return await named(client, resource, names, where, deadline=call.deadline)
    query = ListQuery(
        where,
        label_selector=check_label_selector(args.label_selector) if args.label_selector else "",
        field_selector=check_field_selector(args.field_selector) if args.field_selector else "",
    )
    return await selected(client, resource, query, deadline=call.deadline), []


def _names(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if len(names) > MOST_NAMES:
        raise InvalidArgument("name", f"holds {len(names)} names, at most {MOST_NAMES}")
    return names or [text]


def _check(client: KubernetesClient, victim: Victim, *, evict: bool) -> None:
    """Refuse before the plan what the operator's policy would refuse at the end."""
    client.policy.check_namespace(victim.namespace)
    kind = (victim.resource.group, victim.resource.kind)
    if kind in _GUARDED:
        client.policy.require("delete_cluster_objects", f"deleting {victim.label}")
    if evict and kind != ("", "Pod"):
        raise InvalidArgument("evict", f"only pods are evicted, not {victim.resource.display}")


async def _plan(
    call: Call[KubernetesService],
    client: KubernetesClient,
    args: DeleteArgs,
    victims: Sequence[Victim],
    missing: Sequence[str],
) -> Plan:
    counts, unread = await what_goes_along(client, victims, deadline=call.deadline)
    notes: list[str] = []
    if counts and args.propagation != "orphan":
        along = ", ".join(f"{count} {kind}" for kind, count in counts.most_common() if count)
        notes.append(f"goes along: {along}" if along else "nothing goes along")
    if counts and args.propagation == "orphan":
        notes.append(f"stays without an owner: {', '.join(f'{count} {kind}' for kind, count in counts.most_common())}")
    held = [one.label for one in victims if one.metadata.finalizers]
    if held:
        notes.append(f"waits for finalizers: {', '.join(held[:5])}{' …' if len(held) > 5 else ''}")
    if missing:
        notes.append(f"not there: {', '.join(missing)}")
    notes += [f"could not be counted: {one}" for one in unread]
    rows = [(one.label, one.metadata.creation_timestamp or "") for one in victims]
    verb = "evict" if args.evict else "delete"
    header = f"would {verb} {number_of(len(victims), 'object')} on {client.name}"
    table = Table(("OBJECT", "CREATED"), rows, untrusted=True, source="objects")
    return Plan(header, [table], [one.subject for one in victims], notes)
