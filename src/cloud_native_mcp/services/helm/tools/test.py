"""``helm_test``: runs the test hooks of a release.

https://helm.sh/docs/topics/chart_tests/
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Block, Budget, Result, Table, Text
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.helm.engine.changes import Change, carry_out, refuse_pending
from cloud_native_mcp.services.helm.engine.failures import ENGINE_ERRORS
from cloud_native_mcp.services.helm.engine.hook_logs import pod_log, pod_of_job
from cloud_native_mcp.services.helm.releases.lookup import find_release
from cloud_native_mcp.services.helm.releases.names import check_release_name
from cloud_native_mcp.services.helm.releases.rules import check_objects
from cloud_native_mcp.services.helm.views.documents import hook_documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.releases.record import Hook, Record
    from cloud_native_mcp.services.helm.service import HelmService

_EVENTS: Final = frozenset({"test", "test-success"})
LOG_LINES: Final = 50
MOST_LOGS: Final = 5


class TestArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_test``."""

    name: Annotated[str, Meta(description="Release name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    filter: Annotated[list[str], Meta(description="Only these test names")] | UnsetType = UNSET
    logs: Annotated[bool, Meta(description="Include log tails")] = True
    timeout_seconds: Annotated[int, Meta(ge=5, le=600, description="Longest run")] = 120


@tool(
    "test",
    args=TestArgs,
    effect=Effect.WRITE,
    timeout="long",
    waits="timeout_seconds",
    untrusted=True,
    idempotent=False,
    budget=Budget(usual=16_000),
    description="Run the test hooks of a release and return their results and logs.",
    own_errors={"no_tests": "the chart has no tests, or none of those names; those it has are listed", **ENGINE_ERRORS},
)
async def test_release(call: Call[HelmService], args: TestArgs) -> Result:
    """Run the tests; failed ones are an answer, not an error."""
    namespace, name = check_namespace(args.namespace), check_release_name(args.name)
    client = call.service.client(call.target)
    client.policy.check_namespace(namespace)
    release = await find_release(call.service.storage, client, namespace, name, deadline=call.deadline)
    refuse_pending(release, broken_off=call.service.background.broken_off, even_broken=True)
    body = await call.service.storage.body(client, release.newest, deadline=call.deadline)
    chosen = _chosen(body.hooks or [], [] if args.filter is UNSET else args.filter)
    check_objects(client, namespace, hook_documents(chosen))
    filters = [f"--filter=name={hook.name}" for hook in chosen] if args.filter else []
    change = Change("test", namespace, name, ["test", name, *filters], wait_seconds=args.timeout_seconds, wait=())
    ended = ""
    try:
        held = await carry_out(call, client, change)
    except ToolError as error:
        if error.code not in {"hook_failed", "timeout", "helm_failed"}:
            raise
        ended = error.text
        held = await call.service.storage.history(client, namespace, name, deadline=call.deadline)
    if held is None:
        text = f"the tests of release {name} in namespace {namespace} on {client.name} are still running; see helm_get"
        return Result(header=text)
    ran = await _ran(call, client, held[-1], chosen) if held else []
    return await _answer(call, client, release, ran, ended, logs=args.logs)


TOOLS = (test_release,)


def _chosen(hooks: Sequence[Hook], names: Sequence[str]) -> list[Hook]:
    """The test hooks of those names, or all.

    Raises:
        ToolError: ``no_tests``.
    """
    tests = [hook for hook in hooks if _EVENTS & set(hook.events or ())]
    for name in names:
        check_name(name, field="filter")
    if not tests:
        raise ToolError("no_tests", "the chart of this release has no tests", kind="final")
    there = ", ".join(hook.name for hook in tests)
    if unknown := [name for name in names if name not in {hook.name for hook in tests}]:
        raise InvalidArgument("filter", f"there is no test {', '.join(unknown)}; there are {there}", code="no_tests")
    return [hook for hook in tests if not names or hook.name in names]


async def _answer(
    call: Call[HelmService], client: KubernetesClient, release: Release, ran: Sequence[Hook], ended: str, *, logs: bool
) -> Result:
    failed = [hook for hook in ran if hook.last_run.phase != "Succeeded"]
    rows = [(hook.name, hook.last_run.phase or "did not run", _seconds(hook)) for hook in ran]
    blocks: list[Block] = [Table(("TEST", "RESULT", "SECONDS"), rows, untrusted=True, source="tests")]
    if ended and failed:
        blocks.append(Text(ended, untrusted=True, source="helm"))
    if logs:
        for hook in failed[:MOST_LOGS]:
            blocks += await _log(call, client, release.namespace, hook)
    verdict = f"{number_of(len(ran) - len(failed), 'test', of=len(ran))} succeeded"
    where = f"release {release.name} in namespace {release.namespace} on {client.name}"
    return Result(header=f"{verdict} for {where}", blocks=blocks)


async def _ran(call: Call[HelmService], client: KubernetesClient, record: Record, chosen: Sequence[Hook]) -> list[Hook]:
    """The tests as Helm recorded their run."""
    names = {hook.name for hook in chosen}
    body = await call.service.storage.body(client, record, deadline=call.deadline)
    return [hook for hook in body.hooks or () if hook.name in names and _EVENTS & set(hook.events or ())]


async def _log(call: Call[HelmService], client: KubernetesClient, namespace: str, hook: Hook) -> list[Block]:
    try:
        pod = hook.name
        if hook.kind == "Job":
            pod = await pod_of_job(client, namespace, hook.name, deadline=call.deadline)
        text = await pod_log(client, namespace, pod, lines=LOG_LINES, deadline=call.deadline) if pod else ""
    except BackendError as error:
        text = f"(not read: {error.code})"
    return [
        Text(text or "(nothing was logged)", title=f"Log of {hook.name}", untrusted=True, source="log", keep="tail")
    ]


def _seconds(hook: Hook) -> str:
    """How long a hook ran."""
    run = hook.last_run
    if not run.started_at or not run.completed_at or run.completed_at.startswith("0001-"):
        return ""
    try:
        took = datetime.fromisoformat(run.completed_at) - datetime.fromisoformat(run.started_at)
    except ValueError:
        return ""
    return f"{max(0.0, took.total_seconds()):.0f}"
