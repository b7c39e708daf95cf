"""``kubernetes_exec``: a command in a container, in a debug container, or in a temporary pod.

API: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (exec, attach, ephemeral containers)
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.exec_stream import execute
from cloud_native_mcp.backends.kubernetes.names import check_namespace
from cloud_native_mcp.contract.confirmation import Plan
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.contract.result import Budget, Result, Table
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument
from cloud_native_mcp.services.kubernetes.execution.debugging import add_container, debug_container
from cloud_native_mcp.services.kubernetes.execution.new_container import IMAGE_PULL, NewContainer, run_to_end
from cloud_native_mcp.services.kubernetes.execution.outcome import NOT_FOUND, outcome
from cloud_native_mcp.services.kubernetes.execution.output import SHOWN_BYTES
from cloud_native_mcp.services.kubernetes.execution.place import NOT_RUNNING, find_place, require_running
from cloud_native_mcp.services.kubernetes.execution.request import (
    MOST_STDIN_BYTES,
    Request,
    check_command,
    check_stdin,
)
from cloud_native_mcp.services.kubernetes.execution.temporary import run_in_temporary_pod, temporary_pod
from cloud_native_mcp.services.kubernetes.logs.containers import ALL
from cloud_native_mcp.services.kubernetes.workloads import pod_resource

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.exec_stream import Execution
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.execution.place import Place
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

_ANSWER_S: Final = 6.0
"""Of the call's time, kept for clearing away and answering."""
_AROUND: Final = 4_000
"""Bytes of an answer beside the output."""


class ExecArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_exec``."""

    namespace: Annotated[str, Meta(description="Namespace")]
    command: Annotated[list[str], Meta(description='argv, e.g. ["sh","-c","df -h"]')]
    kind: Annotated[str, Meta(description="pod or workload (first ready pod)")] = "pod"
    name: Annotated[str, Meta(description="Pod or workload; omit for a temporary pod")] | UnsetType = UNSET
    container: Annotated[str, Meta(description="Container; default as in logs")] | UnsetType = UNSET
    image: Annotated[str, Meta(description="Debug or temporary image")] | UnsetType = UNSET
    stdin: (
        Annotated[str, Meta(max_length=MOST_STDIN_BYTES, description="Text sent to standard input", extra=FREE_TEXT)]
        | UnsetType
    ) = UNSET
    timeout_seconds: Annotated[int, Meta(ge=1, le=300, description="Kill after")] = 30
    confirm: (
        Annotated[str, Meta(description="Code from the plan that a call without it answers; acts only with it")]
        | UnsetType
    ) = UNSET


@dataclass(frozen=True, slots=True)
class _Asked:
    """The call with its checked request; nothing has been sent yet."""

    call: Call[KubernetesService]
    client: KubernetesClient
    request: Request
    namespace: str
    image: str
    confirm: str | UnsetType

    def confirmed(self, plan: Plan) -> Result | None:
        """The answer that asks for consent, or None when the plan may be carried out."""
        return self.call.confirm(plan, self.confirm)


@tool(
    "exec",
    args=ExecArgs,
    effect=Effect.DESTROY,
    toolset="extended",
    timeout="long",
    waits="timeout_seconds",
    untrusted=True,
    idempotent=False,
    budget=Budget(usual=SHOWN_BYTES + _AROUND, cap=SHOWN_BYTES + _AROUND),
    description=(
        "Run a command in a container; with image, in a new debug container of the pod or, without a name, in a "
        "temporary pod removed afterwards. No shell is added: pass argv."
    ),
    own_errors={
        NOT_FOUND: "there is no such program in the image, or it may not be executed (126, 127)",
        NOT_RUNNING: "the container does not run now, or could not be started",
        IMAGE_PULL: "the image of the new container cannot be pulled",
    },
)
async def exec_(call: Call[KubernetesService], args: ExecArgs) -> Result:
    """Show what would be run and where; with the plan's code, run it and answer exit code and output."""
    asked = _checked(call, args)
    if args.name is UNSET:
        return await _in_temporary_pod(asked)
    place = await find_place(
        asked.client, args.kind, args.name, args.container or "", namespace=asked.namespace, deadline=call.deadline
    )
    return await (_in_debug_container(asked, place) if asked.image else _in_container(asked, place))


TOOLS = (exec_,)


def _checked(call: Call[KubernetesService], args: ExecArgs) -> _Asked:
    """The request, which the operator's policy permits.

    Raises:
        InvalidArgument: names the argument and the rule it breaks.
        ToolError: ``denied_by_policy``.
    """
    client = call.service.client(call.target)
    namespace = check_namespace(args.namespace)
    command = check_command(args.command)
    stdin = check_stdin(args.stdin) if args.stdin is not UNSET else None
    if args.name is UNSET and not args.image:
        raise InvalidArgument("name", "give a pod or workload, or an image for a temporary pod")
    if args.name is UNSET and args.container:
        raise InvalidArgument("container", "has no meaning in a temporary pod; leave it out, or give name")
    if args.container == ALL:
        raise InvalidArgument("container", "must be one container")
    client.policy.check_namespace(namespace, what="running commands")
    client.policy.execution.check_namespace(namespace)
    client.policy.execution.check_command(command)
    if args.image:
        client.policy.execution.check_image(args.image)
    seconds = max(1.0, min(args.timeout_seconds, call.deadline.remaining - _ANSWER_S))
    return _Asked(call, client, Request(command, stdin, seconds), namespace, args.image or "", args.confirm)


async def _in_container(asked: _Asked, place: Place) -> Result:
    """In a container that runs."""
    require_running(place)
    if pending := asked.confirmed(_plan(asked, place)):
        return pending
    pods = await pod_resource(asked.client, asked.call.deadline)
    try:
        execution = await execute(
            asked.client,
            pods,
            place.name,
            place.source.container,
            asked.request.command,
            namespace=asked.namespace,
            stdin=asked.request.stdin,
            opening=asked.call.deadline.sooner(asked.request.seconds),
            seconds=asked.request.seconds,
        )
    except BackendError as error:
        raise _with_hint(error, asked.namespace) from error
    return _answer(asked, execution, place.label, ran_on="; the process may go on in the container")


async def _in_debug_container(asked: _Asked, place: Place) -> Result:
    """In a new container beside the chosen one."""
    deadline = asked.call.deadline
    pods = await pod_resource(asked.client, deadline)
    name = f"debug-{secrets.token_hex(4)}"
    container = debug_container(name, asked.image, asked.request, place)
    if asked.confirm is UNSET:
        await add_container(asked.client, pods, place, container, deadline=deadline, dry_run=True)
    stays = "a debug container cannot be removed from its pod: it stays there, ended, until the pod is deleted"
    if pending := asked.confirmed(_plan(asked, place, notes=[stays])):
        return pending
    await add_container(asked.client, pods, place, container, deadline=deadline, dry_run=False)
    new = NewContainer(asked.client, pods, asked.namespace, place.name, name)
    execution = await run_to_end(new, asked.request, deadline)
    notes = ["stdout holds standard error as well", stays]
    return _answer(asked, execution, new.label, notes=notes, ran_on="; the process may go on in the container")


async def _in_temporary_pod(asked: _Asked) -> Result:
    """In a pod of its own."""
    deadline = asked.call.deadline
    pods = await pod_resource(asked.client, deadline)
    pod = temporary_pod(asked.image, asked.request)
    if asked.confirm is UNSET:
        await writes.create(asked.client, pods, pod, namespace=asked.namespace, dry_run=True, deadline=deadline)
    if pending := asked.confirmed(_plan(asked, None)):
        return pending
    name = as_str(dig(pod, "metadata", "name"))
    execution = await run_in_temporary_pod(
        asked.client,
        pods,
        pod,
        name,
        asked.request,
        namespace=asked.namespace,
        deadline=deadline,
        leftovers=asked.call.service.leftovers,
    )
    where = f"temporary pod {name} in {asked.namespace}"
    return _answer(asked, execution, where, notes=["stdout holds standard error as well"])


def _answer(
    asked: _Asked, execution: Execution, where: str, *, notes: list[str] | None = None, ran_on: str = ""
) -> Result:
    where = f"{where} on {asked.client.name}"
    return outcome(execution, asked.request, where, notes=notes or (), ran_on=ran_on)


def _plan(asked: _Asked, place: Place | None, *, notes: list[str] | None = None) -> Plan:
    """What would run where; ``place`` is None for a temporary pod."""
    if place is None:
        where, row = "a temporary pod", ("new", "", asked.image, "no token, no root")
    elif asked.image:
        where, row = f"a debug container beside {place.label}", (place.name, "new", asked.image, "no root")
    else:
        where, row = place.label, (place.name, place.source.container, place.image, place.source.state)
    return Plan(
        f"would run {asked.request.shown} in {where} on {asked.client.name}",
        [Table(("POD", "CONTAINER", "IMAGE", "STATE"), [row], untrusted=True, source="pods")],
        [place.subject if place is not None else f"temporary pod in {asked.namespace}"],
        [line for line in (asked.request.input, *(notes or ())) if line],
    )


def _with_hint(error: BackendError, namespace: str) -> BackendError:
    """A refusal with what is needed, as the API server does not always say it."""
    hint = ""
    if error.code == "forbidden":
        hint = f"; running commands needs get and create on pods/exec in namespace {namespace}"
    elif error.code == "unsupported":
        hint = "; without v5 no end of standard input can be told: leave out stdin, or give image for a new container"
    else:
        return error
    return BackendError(error.code, f"{error.text}{hint}", status=error.status)
