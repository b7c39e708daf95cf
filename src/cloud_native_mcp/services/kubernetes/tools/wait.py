"""``kubernetes_wait``: until objects reach a state.

API: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.selectors import check_label_selector
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.kubernetes.waiting.outcome import reasons, state_table, wait_until
from cloud_native_mcp.services.kubernetes.waiting.states import parse_until

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService


class WaitArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_wait``."""

    kind: Annotated[str, Meta(description="Kind, plural or short name, e.g. deploy or rollouts.argoproj.io")]
    name: Annotated[str, Meta(description="Name; or give label_selector")] | UnsetType = UNSET
    namespace: Annotated[str, Meta(description="Namespace")] | UnsetType = UNSET
    label_selector: Annotated[str, Meta(description="e.g. app=web")] | UnsetType = UNSET
    until: Annotated[
        str, Meta(description="ready|exists|deleted|rollout|complete|condition=Type[=Status]|.json.path=value")
    ]
    timeout_seconds: Annotated[int, Meta(ge=1, le=600, description="Longest wait")] = 45


@tool(
    "wait",
    args=WaitArgs,
    effect=Effect.READ,
    timeout="long",
    waits="timeout_seconds",
    untrusted=True,
    budget=Budget(usual=4_000),
    description=(
        "Wait until objects reach a state (ready, deleted, rollout done, condition or field value), with progress. "
        "Returns the state reached or what is still missing."
    ),
)
async def wait(call: Call[KubernetesService], args: WaitArgs) -> Result:
    """Follow objects by a watch; what is not reached in time is an answer, not an error."""
    wanted = parse_until(args.until)
    client = call.service.client(call.target)
    resource = await client.discovery.resolve(args.kind, deadline=call.deadline)
    query = _selected(client, resource, args)
    waited = await wait_until(
        client,
        resource,
        query,
        wanted,
        seconds=args.timeout_seconds,
        deadline=call.deadline,
        progress=call.progress,
    )
    where = f" in namespace {query.namespace}" if query.namespace else ""
    what = f"{resource.kind} {args.name or query.label_selector}{where} on {client.name}"
    blocks = [state_table(waited)] if waited.states else []
    held_up = await reasons(client, resource, waited, deadline=call.deadline)
    notes = [] if waited.states or waited.met else ["nothing of that name or selector is there"]
    return Result(header=f"{what}: {wanted.text} {waited.sentence}", blocks=[*blocks, *held_up], notes=notes)


TOOLS = (wait,)


def _selected(client: KubernetesClient, resource: Resource, args: WaitArgs) -> ListQuery:
    namespace = None
    if resource.namespaced:
        namespace = check_namespace(args.namespace) if args.namespace is not UNSET else client.namespace
    if args.name and args.label_selector:
        raise InvalidArgument("label_selector", "give it or name, not both")
    if args.name is not UNSET:
        return ListQuery(namespace, field_selector=f"metadata.name={check_name(args.name, resource=resource)}")
    if args.label_selector:
        return ListQuery(namespace, label_selector=check_label_selector(args.label_selector))
    raise InvalidArgument("name", "is missing; give name or label_selector")
