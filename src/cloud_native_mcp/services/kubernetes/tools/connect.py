"""``kubernetes_connect``: one HTTP request to a pod or Service through the API server, or a port-forward.

API: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/ and
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (portforward)
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.port_forward import opened
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result, Table
from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.connecting.ports import NO_ENDPOINTS, core_kind, find_pod_port, find_port
from cloud_native_mcp.services.kubernetes.connecting.proxied import READS, check_request, send
from cloud_native_mcp.services.kubernetes.connecting.reply_view import reply_blocks, status_line

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

_FITS: Final = {
    "request": frozenset({"kind", "name", "namespace", "port", "method", "path", "body", "scheme"}),
    "forward": frozenset({"kind", "name", "namespace", "port", "local_port"}),
    "list": frozenset[str](),
    "stop": frozenset({"forward_id"}),
}
_ALWAYS: Final = frozenset({"mode", "target"})


class ConnectArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_connect``."""

    mode: Annotated[Literal["request", "forward", "list", "stop"], Meta(description="What to do")] = "request"
    kind: Annotated[Literal["pod", "service"], Meta(description="Endpoint kind")] = "service"
    name: Annotated[str, Meta(description="Pod or service")] | UnsetType = UNSET
    namespace: Annotated[str, Meta(description="Namespace")] | UnsetType = UNSET
    port: Annotated[str, Meta(description="Port number or name")] | UnsetType = UNSET
    method: Annotated[Literal["GET", "HEAD", "POST", "PUT", "DELETE"], Meta(description="HTTP method")] = "GET"
    path: Annotated[str, Meta(description="Path and query")] = "/"
    body: Annotated[str, Meta(description="Request body", extra=FREE_TEXT)] | UnsetType = UNSET
    scheme: Annotated[Literal["http", "https"], Meta(description="Backend scheme")] = "http"
    local_port: Annotated[int, Meta(ge=0, le=65_535, description="forward: local port, 0 picks one")] = 0
    forward_id: Annotated[str, Meta(description="stop: id from forward or list")] | UnsetType = UNSET


def _effect(args: ConnectArgs) -> Effect:
    """What a request does to an application is not known: only GET and HEAD are taken for harmless."""
    return Effect.DESTROY if args.mode == "request" and args.method not in READS else Effect.WRITE


@tool(
    "connect",
    args=ConnectArgs,
    effect=Effect.WRITE,
    effect_of=_effect,
    untrusted=True,
    idempotent=False,
    budget=Budget(usual=32_000, cap=32_000),
    description=(
        "Reach a port of a pod or service: send one HTTP request through the API server and show the answer, or (local "
        "server only) open, list or stop a port-forward."
    ),
    own_errors={
        NO_ENDPOINTS: "the Service has no ready pod behind that port",
        "not_local": "forwards listen on the server's machine, which is not the caller's",
        "too_many_forwards": "ten forwards are open already",
    },
)
async def connect(call: Call[KubernetesService], args: ConnectArgs) -> Result:
    """Send a request, or see to the caller's forwards."""
    if strange := sorted(call.given - _ALWAYS - _FITS[args.mode]):
        takes = ", ".join(sorted(_FITS[args.mode])) or "nothing else"
        raise InvalidArgument(strange[0], f"does not go with mode={args.mode}, which takes {takes}")
    if args.mode == "request":
        return await _request(call, args)
    _require_local(call)
    match args.mode:
        case "forward":
            return await _forward(call, args)
        case "list":
            return _list(call)
        case "stop":
            if not args.forward_id:
                raise InvalidArgument("forward_id", "mode=stop needs the id that forward or list tell")
            stopped = await call.service.forwards.stop(args.forward_id, call.principal)
            return Result(header=f"stopped forward {stopped.id} to {stopped.label}")


TOOLS = (connect,)


async def _request(call: Call[KubernetesService], args: ConnectArgs) -> Result:
    namespace, name = _place(args)
    request = check_request(args.method, args.path, args.body if args.body is not UNSET else None)
    client = call.service.client(call.target)
    if args.method not in READS:
        client.policy.check_namespace(namespace, what="requests that change something")
    port = await find_port(client, args.kind, name, args.port or "", namespace=namespace, deadline=call.deadline)
    resource = await core_kind(client, args.kind.capitalize(), call.deadline)
    number = port.number
    reply = await send(client, resource, namespace, f"{args.scheme}:{name}:{number}", request, call.deadline)
    where = f"{args.kind} {name} port {port} in {namespace} on {client.name}"
    return Result(
        header=f"{args.method} {args.path[:200]} of {where}: {status_line(reply)}, {reply.seconds * 1e3:.0f} ms",
        blocks=reply_blocks(reply, source=where),
        facts={"status": reply.status},
    )


async def _forward(call: Call[KubernetesService], args: ConnectArgs) -> Result:
    namespace, name = _place(args)
    client = call.service.client(call.target)
    client.policy.check_namespace(namespace, what="a forward")
    to = await find_pod_port(client, args.kind, name, args.port or "", namespace=namespace, deadline=call.deadline)
    pods = await core_kind(client, "Pod", call.deadline)
    async with opened(client, pods, to.pod, to.port, namespace=namespace, deadline=call.deadline):
        pass  # what is refused is told now, not to the first connection
    forwards = call.service.forwards
    made = await forwards.open(
        client, pods, to, namespace=namespace, local_port=args.local_port, principal=call.principal
    )
    idle = format_age(timedelta(seconds=forwards.idle))
    return Result(
        header=f"forward {made.id}: {made.address}:{made.port} leads to {made.label}",
        notes=[f"it is closed after {idle} without use, and with this server; mode=stop closes it now"],
        facts={"id": made.id, "address": made.address, "port": made.port, "pod": to.pod},
    )


def _list(call: Call[KubernetesService]) -> Result:
    own = call.service.forwards.of(call.principal)
    now = time.monotonic()
    rows = [
        (
            one.id,
            f"{one.address}:{one.port}",
            one.label,
            one.connections,
            format_age(timedelta(seconds=now - one.last_used)),
            one.error,
        )
        for one in own
    ]
    columns = ("ID", "ADDRESS", "LEADS TO", "CONNECTIONS", "IDLE", "LAST ERROR")
    table = Table(columns, rows, untrusted=True, source="forwards")
    return Result(header=f"{number_of(len(rows), 'open forward')}", blocks=[table] if rows else [])


def _place(args: ConnectArgs) -> tuple[str, str]:
    """Namespace and name.

    Raises:
        InvalidArgument: one of them is missing or malformed.
    """
    for field, value in (("name", args.name), ("namespace", args.namespace)):
        if not value:
            raise InvalidArgument(field, f"mode={args.mode} needs it")
    return check_namespace(args.namespace or ""), check_name(args.name or "", field="name")


def _require_local(call: Call[KubernetesService]) -> None:
    """Forwards are for callers on this machine, unless the operator lets them listen for others.

    Raises:
        ToolError: ``not_local``.
    """
    if call.principal.method != "local" and not call.service.forwards_shared:
        text = (
            "forwards are opened for callers of a local server only; the operator can set kubernetes.forward_address, "
            "and mode=request works everywhere"
        )
        raise ToolError("not_local", text, kind="final")
